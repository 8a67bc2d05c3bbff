// Decodes field blocks for a comparison. Each line of its input has the blocks of one connection, in hexadecimal, with
// spaces between. Each line of its output has what they come to: for each block its fields as `name:value`, both in
// hexadecimal, with commas between, or `error`, after which there is no more.
package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"strings"

	"golang.org/x/net/http2/hpack"
)

const tableBytes = 4096

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := bufio.NewWriter(os.Stdout)
	for lines.Scan() {
		fmt.Fprintln(out, strings.Join(decode(strings.Split(lines.Text(), " ")), " "))
		out.Flush()
	}
}

func decode(blocks []string) []string {
	decoder := hpack.NewDecoder(tableBytes, nil)
	var outcomes []string
	for _, block := range blocks {
		bytes, err := hex.DecodeString(block)
		if err != nil {
			panic(err)
		}
		fields, err := decoder.DecodeFull(bytes)
		if err != nil {
			return append(outcomes, "error")
		}
		var texts []string
		for _, field := range fields {
			texts = append(texts, fmt.Sprintf("%x:%x", field.Name, field.Value))
		}
		outcomes = append(outcomes, strings.Join(texts, ","))
	}
	return outcomes
}
