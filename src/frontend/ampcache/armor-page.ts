/**
 * The page around the armor: the least that AMP caches take for a valid AMP page. Every element of it is required, and
 * the boilerplate style is required to the letter (the AMP HTML specification, "Required markup").
 */

const BOILERPLATE = [
  "body{",
  "-webkit-animation:-amp-start 8s steps(1,end) 0s 1 normal both;",
  "-moz-animation:-amp-start 8s steps(1,end) 0s 1 normal both;",
  "-ms-animation:-amp-start 8s steps(1,end) 0s 1 normal both;",
  "animation:-amp-start 8s steps(1,end) 0s 1 normal both",
  "}",
  "@-webkit-keyframes -amp-start{from{visibility:hidden}to{visibility:visible}}",
  "@-moz-keyframes -amp-start{from{visibility:hidden}to{visibility:visible}}",
  "@-ms-keyframes -amp-start{from{visibility:hidden}to{visibility:visible}}",
  "@-o-keyframes -amp-start{from{visibility:hidden}to{visibility:visible}}",
  "@keyframes -amp-start{from{visibility:hidden}to{visibility:visible}}",
].join("");

const BOILERPLATE_WITHOUT_SCRIPT =
  "body{-webkit-animation:none;-moz-animation:none;-ms-animation:none;animation:none}";

/** Everything before the first element of the armor. */
export const PAGE_START = `<!doctype html>
<html amp>
<head>
<meta charset="utf-8">
<script async src="https://cdn.ampproject.org/v0.js"></script>
<link rel="canonical" href="#">
<meta name="viewport" content="width=device-width">
<style amp-boilerplate>${BOILERPLATE}</style><noscript><style amp-boilerplate>${BOILERPLATE_WITHOUT_SCRIPT}</style></noscript>
</head>
<body>
`;

/** Everything after the last one. */
export const PAGE_END = "</body>\n</html>";
