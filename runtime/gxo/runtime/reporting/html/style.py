"""How the page looks: colours for light, dark and print, and a sign for each status.

The colours are told apart by people who see few of them (blue-green, vermilion, orange, violet),
and none says anything that a shape, a pattern or a word does not say too.
"""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #fff; --panel: #f6f7f9; --line: #d5d9df; --text: #1c2127; --quiet: #59636e;
  --link: #0a58ca;
  --completed: #08755c; --failed: #c0301c; --ignored: #a15c00; --skipped: #59636e;
  --cancelled: #7a4a9c; --pending: #6b7480; --stream: #2f6fb4;
  font: 15px/1.45 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171b; --panel: #1d2126; --line: #3a4149; --text: #e6e9ec; --quiet: #9fa8b2;
    --link: #7db3ff; --completed: #3cc2a0; --failed: #ff8370; --ignored: #f0a94b;
    --skipped: #9fa8b2; --cancelled: #c79bea; --pending: #8f99a3; --stream: #6aa9ec;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1200px; padding: 24px 24px 48px; background: var(--page);
  color: var(--text); overflow-wrap: anywhere; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 17px; margin: 32px 0 10px; }
p { margin: 0; }
a { color: var(--link); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
code { font: 0.92em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.quiet, footer { color: var(--quiet); font-size: 13px; }
footer { margin-top: 32px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.skip { position: absolute; left: -9999px; }
.skip:focus { position: static; }
.completed { --its: var(--completed); } .failed { --its: var(--failed); }
.ignored { --its: var(--ignored); } .skipped { --its: var(--skipped); }
.cancelled { --its: var(--cancelled); } .pending { --its: var(--pending); }
.icon { color: var(--its); vertical-align: -3px; flex: none; }
.sign { fill: none; stroke: currentColor; stroke-width: 2; }
.full { fill: currentColor; }
.mark { fill: none; stroke: var(--page); stroke-width: 2; stroke-linecap: round;
  stroke-linejoin: round; }
.badge { display: inline-block; font-size: 15px; font-weight: 600; padding: 2px 10px 2px 8px;
  border: 1.5px solid var(--its); border-radius: 14px; color: var(--its); vertical-align: 4px; }
.failures ul { list-style: none; margin: 0; padding: 0; border: 1px solid var(--line);
  border-radius: 6px; background: var(--panel); overflow: hidden; }
.failures li { display: flex; gap: 10px; padding: 10px 14px; border-left: 4px solid var(--its); }
.failures li + li { border-top: 1px solid var(--line); }
.failures li > .icon { margin-top: 3px; }
.failures a { font-weight: 600; }
.error, .reason { white-space: pre-wrap; font-size: 13px; }
.error { color: var(--failed);
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.ignored .error { color: var(--ignored); }
.scroll { overflow: auto; border: 1px solid var(--line); border-radius: 6px; }
.graphs .scroll { max-height: 75vh; background: var(--panel); }
figure { margin: 0 0 12px; }
figcaption { font-size: 13px; color: var(--quiet); margin-bottom: 6px; }
.graph { display: block; margin: 8px auto; }
.box { text-decoration: none; }
.box text { fill: var(--text); font-size: 13px; }
.box .name { font-weight: 600; }
.box .line { fill: var(--quiet); font-size: 12px; }
.face, .behind { fill: var(--page); stroke: var(--its); stroke-width: 1.5; }
.pending .face, .skipped .face { stroke-dasharray: 5 3; }
.failed .face { stroke-width: 2.5; }
.box:hover .face { stroke-width: 3; }
.edge { fill: none; stroke: var(--quiet); stroke-width: 1.5; marker-end: url(#arrow); }
.edge.stream { stroke: var(--stream); stroke-width: 6; marker-end: none; }
.edge.bore { stroke: var(--panel); stroke-width: 2.5; marker-end: url(#arrow-stream); }
.edge.failure { stroke: var(--failed); stroke-dasharray: 7 4; marker-end: url(#arrow-failure); }
.edge.order { stroke-dasharray: 2 4; }
.tip { fill: var(--quiet); }
.tip.stream { fill: var(--stream); }
.tip.failure { fill: var(--failed); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; list-style: none; margin: 8px 0 0;
  padding: 0; font-size: 13px; color: var(--quiet); }
.legend svg { vertical-align: -4px; }
.legend .edge.bore { stroke: var(--page); }
.filters { border: 0; margin: 0 0 10px; padding: 0; display: flex; flex-wrap: wrap; gap: 8px; }
.filters input { position: absolute; opacity: 0; }
.filters label { display: inline-block; padding: 3px 12px; border: 1px solid var(--line);
  border-radius: 16px; font-size: 13px; cursor: pointer; }
.filters input:checked + label { background: var(--panel); border-color: var(--text);
  box-shadow: inset 0 0 0 1px var(--text); }
.filters input:focus-visible + label { outline: 2px solid var(--link); outline-offset: 2px; }
main:has(#show-failed:checked) .row:not(.failed),
main:has(#show-ignored:checked) .row:not(.ignored),
main:has(#show-cancelled:checked) .row:not(.cancelled),
main:has(#show-skipped:checked) .row:not(.skipped),
main:has(#show-pending:checked) .row:not(.pending),
main:has(#show-completed:checked) .row:not(.completed) { display: none; }
table { border-collapse: collapse; width: 100%; min-width: 760px; font-size: 14px; }
th, td { text-align: left; vertical-align: top; padding: 7px 12px; font-weight: 400; }
thead th { font-size: 12px; color: var(--quiet); white-space: nowrap; background: var(--panel); }
tbody tr, thead { border-bottom: 1px solid var(--line); }
tbody:last-child tr:last-child { border-bottom: 0; }
tbody th { width: 30%; min-width: 200px; }
tr.block th { background: var(--panel); color: var(--quiet); font-size: 13px; }
tr:target { background: color-mix(in srgb, var(--link) 14%, transparent); }
.row { scroll-margin-top: 12px; }
td .name, th .name { font-weight: 600; }
.status { white-space: nowrap; color: var(--its); }
.figure { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.time { width: 38%; min-width: 200px; position: relative; }
.time svg { display: block; width: 100%; overflow: visible; }
td.time svg { position: absolute; left: 12px; top: 0; width: calc(100% - 24px); height: 100%; }
.axis text { font-size: 11px; fill: var(--quiet); text-anchor: middle; }
.axis .start { text-anchor: start; }
#grid line { stroke: var(--line); }
.bar { fill: var(--its); stroke: var(--its); stroke-width: 1; }
.bar.failed { fill: url(#hatch-failed); }
.bar.ignored { fill: url(#hatch-ignored); }
.bar.cancelled { fill: url(#dots-cancelled); }
.bar.part { stroke: var(--page); }
.bar.wait { fill: var(--panel); stroke-dasharray: 3 2; }
.hatch { stroke-width: 3; stroke: var(--its); } .dot { fill: var(--its); }
@media (min-width: 900px) {
  .graph.fits { max-width: 100%; height: auto; }
}
@media (max-width: 640px) {
  body { padding: 16px 12px 32px; }
  th, td { padding: 8px; }
  td.time svg { left: 8px; width: calc(100% - 16px); }
}
@media print {
  :root { font-size: 11px; --page: #fff; --panel: #fff; --line: #bbb; --text: #000; --quiet: #444;
    --completed: #08755c; --failed: #c0301c; --ignored: #a15c00; --skipped: #444;
    --cancelled: #7a4a9c; --pending: #444; --stream: #2f6fb4; --link: #000; }
  body { max-width: none; padding: 0; }
  .scroll { overflow: visible; max-height: none; border: 0; }
  .graphs .scroll { max-height: none; }
  .graph { max-width: 100%; height: auto; }
  .filters, .skip { display: none; }
  .row { display: table-row !important; break-inside: avoid; }
  * { print-color-adjust: exact; }
}
@media (forced-colors: active) {
  .bar, .icon, .edge { forced-color-adjust: none; }
}
"""

SIGNS = """
<svg width="0" height="0" class="hidden" aria-hidden="true">
<symbol id="icon-completed" viewBox="0 0 16 16">
<circle class="full" cx="8" cy="8" r="7.5"/>
<path class="mark" d="M4.5 8.3 7 10.8 11.5 5.6"/>
</symbol>
<symbol id="icon-failed" viewBox="0 0 16 16">
<path class="full" d="M5 .5h6l4.5 4.5v6L11 15.5H5L.5 11V5z"/>
<path class="mark" d="M5.3 5.3l5.4 5.4M10.7 5.3l-5.4 5.4"/>
</symbol>
<symbol id="icon-ignored" viewBox="0 0 16 16">
<path class="full" d="M8 .8 15.8 14.8H.2z"/>
<path class="mark" d="M8 6v4M8 12.4v.1"/>
</symbol>
<symbol id="icon-cancelled" viewBox="0 0 16 16">
<rect class="full" x="1" y="1" width="14" height="14" rx="2"/>
<path class="mark" d="M5 8h6"/>
</symbol>
<symbol id="icon-skipped" viewBox="0 0 16 16">
<path class="sign" d="M3 3l5 5-5 5M8.5 3l5 5-5 5"/>
</symbol>
<symbol id="icon-pending" viewBox="0 0 16 16">
<circle class="sign" stroke-dasharray="3 2.5" cx="8" cy="8" r="6.5"/>
</symbol>
<defs>
<marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"
 markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M0 0 8 4 0 8z"/></marker>
<marker id="arrow-stream" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="13" markerHeight="13"
 markerUnits="userSpaceOnUse" orient="auto"><path class="tip stream" d="M0 0 8 4 0 8z"/></marker>
<marker id="arrow-failure" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"
 markerUnits="userSpaceOnUse" orient="auto"><path class="tip failure" d="M0 0 8 4 0 8z"/></marker>
<pattern id="hatch-failed" class="failed" width="6" height="6" patternUnits="userSpaceOnUse"
 patternTransform="rotate(45)"><path class="hatch" d="M0 0v6"/></pattern>
<pattern id="hatch-ignored" class="ignored" width="6" height="6" patternUnits="userSpaceOnUse"
 patternTransform="rotate(-45)"><path class="hatch" d="M0 0v6"/></pattern>
<pattern id="dots-cancelled" class="cancelled" width="5" height="5"
 patternUnits="userSpaceOnUse"><circle class="dot" cx="2" cy="2" r="1.3"/></pattern>
</defs>
</svg>
"""
