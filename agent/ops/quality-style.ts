/** Light or dark as the reader's system is; print keeps the light one. */
export const QUALITY_STYLE = `
:root { --paper: #fbfaf8; --card: #fff; --ink: #1c1b19; --soft: #66625b; --line: #e4e0d9; --bar: #b8b1a5; --accent: #a3481f;
  --none: #e3dfd6; --good: #cfe3d6; --l1: #f6e3b0; --l2: #efb661; --l3: #dc7238; --l4: #a82a1c; }
@media screen and (prefers-color-scheme: dark) {
  :root { --paper: #171614; --card: #201f1c; --ink: #eceae5; --soft: #a29d93; --line: #35322d; --bar: #6d675d; --accent: #ee9b6c;
    --none: #3a372f; --good: #2a4a3a; --l1: #6b5a24; --l2: #a4701f; --l3: #cf6528; --l4: #f0503c; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
header, main, footer { max-width: 1080px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 40px; }
.over { margin: 0; color: var(--accent); font-weight: 600; }
h1 { margin: 0 0 8px; font-size: 30px; line-height: 1.2; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { margin: 0 0 4px; font-size: 19px; }
.summary { margin: 0; max-width: 70ch; font-size: 17px; overflow-wrap: anywhere; }
section { margin: 40px 0; }
.hint, footer, .note, .takes, .case { color: var(--soft); font-size: 13px; }
.hint { margin: 0 0 12px; }
footer { padding-bottom: 48px; max-width: 1080px; }
code { font: 13px ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace; }
ul { list-style: none; margin: 0; padding: 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(160px, 1fr)); gap: 12px; margin-top: 28px; }
.tiles li { display: flex; flex-direction: column; padding: 12px 16px; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
.tiles .title { font-size: 13px; font-weight: 600; }
.tiles strong { font-size: 24px; font-weight: 600; line-height: 1.3; font-variant-numeric: tabular-nums; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; margin-bottom: 12px; font-size: 13px; }
.legend li { display: flex; align-items: center; gap: 6px; }
.legend i { width: 14px; height: 14px; border-radius: 3px; }
.none { background: repeating-linear-gradient(135deg, var(--none) 0 3px, transparent 3px 5px); }
.good { background: var(--good); } .l1 { background: var(--l1); } .l2 { background: var(--l2); } .l3 { background: var(--l3); } .l4 { background: var(--l4); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; }
.heat { border-collapse: separate; border-spacing: 2px; font-size: 13px; }
.heat th { font-weight: 400; text-align: left; white-space: nowrap; }
.heat thead th { height: 22px; max-width: 0; min-width: 12px; overflow: visible; color: var(--soft); font-size: 12px; }
.heat thead th:first-child { max-width: none; }
.heat tbody th { position: sticky; left: 0; padding-right: 12px; background: var(--paper); max-width: 260px; overflow: hidden; text-overflow: ellipsis; }
.heat td { height: 20px; min-width: 12px; width: 28px; border-radius: 3px; padding: 0; }
.heat td.share { width: auto; padding-left: 12px; text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.heat thead th.share { max-width: none; padding-left: 12px; text-align: right; }
.rules { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 12px; margin-top: 12px; }
.rules li { padding: 14px 16px; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
.rules .head { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 10px; }
.rules .head code { font-size: 15px; font-weight: 600; }
.rules .count { margin-left: auto; font-variant-numeric: tabular-nums; }
.rules svg { display: block; width: 100%; height: 4px; margin: 6px 0 8px; background: var(--none); border-radius: 2px; }
.rules .fault rect { fill: var(--l3); } .rules .harmless rect { fill: var(--bar); }
.rules p { margin: 4px 0 0; } .case { overflow-wrap: anywhere; }
.meters { width: 100%; font-size: 14px; margin-top: 8px; }
.meters th, .meters td { padding: 7px 12px 7px 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
.meters thead th { color: var(--soft); font-size: 13px; font-weight: 600; }
.meters tbody th { font-weight: 600; overflow-wrap: anywhere; min-width: 110px; }
.meters .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; padding-right: 20px; }
.meters .case { display: block; }
@media print { body { background: #fff; } .rules li, tr { break-inside: avoid; } * { print-color-adjust: exact; } }
`;
