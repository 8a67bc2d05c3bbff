/** The clock of the tests is that of the simulator: it stands still until it is told to move. */

export { VirtualClock as FakeClock } from "../../src/simulate/virtual-clock.ts";
