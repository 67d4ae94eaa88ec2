#include "conformance/report/html_style.hpp"

namespace entente::conformance {

std::string_view page_style()
{
    // Colours are told by words and signs as well. Text has a contrast of at least 4.5 everywhere.
    return R"css(
:root{color-scheme:light dark;--page:#f7f6f3;--card:#fff;--ink:#1d1c1a;--soft:#5b5954;
--line:#ddd9d1;--code:#f3f1ec;--link:#0b57a4;--mark:#8a2f00;
--bad:#a01c16;--bad-soft:#fcebe9;--good:#17653a;--good-soft:#e4f3ea;--warn:#754a00;
--warn-soft:#fbf0d6;--dull:#4b525c;--dull-soft:#eaecef;--odd:#65308a;--odd-soft:#f3eaf9}
@media (prefers-color-scheme:dark){:root{--page:#141517;--card:#1c1e21;--ink:#e9e7e3;
--soft:#a9a69f;--line:#34373c;--code:#121315;--link:#8ab8f0;--mark:#ffb28a;
--bad:#ff9d94;--bad-soft:#42201d;--good:#86d6a4;--good-soft:#173524;--warn:#f0c36c;
--warn-soft:#3b2e10;--dull:#b4bac3;--dull-soft:#2b2f35;--odd:#d7aef2;--odd-soft:#352341}}
*{box-sizing:border-box}
html{scroll-padding-top:4.5rem;-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:1.5rem 1.25rem 4rem;max-width:76rem;background:var(--page);
color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;
overflow-wrap:anywhere}
a{color:var(--link)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
code,pre,kbd{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
font-size:.875em}
h1,h2,h3,h4,h5,p,dl,ol,ul,table{margin:0}
h1{font-size:1.9rem;line-height:1.2;letter-spacing:-.01em}
h2{font-size:1.3rem;margin:2.75rem 0 .75rem;line-height:1.3}
h3{font-size:1rem;margin:1.5rem 0 .5rem}
h4{font-size:1rem;font-weight:500;margin:0;display:inline}
h5{font-size:.8125rem;font-weight:600;color:var(--soft);margin:.75rem 0 .25rem}
.kicker,.soft{color:var(--soft)}
.kicker,.small{font-size:.875rem}
h2 .soft,h3 .soft{font-weight:400;font-size:.875rem}
section>p+p{margin-top:.5rem}
.skip{position:absolute;left:-999rem}.skip:focus{left:1rem;top:.5rem;background:var(--card)}
.s-fail,.s-unexpected-pass,.s-flaky{--c:var(--bad);--b:var(--bad-soft)}
.s-pass{--c:var(--good);--b:var(--good-soft)}
.s-warn{--c:var(--warn);--b:var(--warn-soft)}
.s-not-applicable,.s-expected-fail,.s-not-run{--c:var(--dull);--b:var(--dull-soft)}
.s-could-not-run{--c:var(--odd);--b:var(--odd-soft)}
.verdict{margin:1.25rem 0 0;padding:1rem 1.25rem;border-left:.375rem solid var(--c);
background:var(--b);border-radius:.25rem}
.verdict strong{color:var(--c);font-size:1.3rem;margin-right:.6rem}
.bar{display:block;width:100%;height:.75rem;margin:1.25rem 0 .75rem;border-radius:.2rem}
.bar rect{fill:var(--c)}
.counts{display:flex;flex-wrap:wrap;gap:.5rem;padding:0;margin-bottom:.5rem;
list-style:none}
.counts li{padding:.35rem .75rem;border-radius:.3rem;background:var(--b);color:var(--c)}
.counts b{font-size:1.15rem;font-variant-numeric:tabular-nums}
.badge{display:inline-block;padding:.05rem .55rem;border-radius:.3rem;background:var(--b);
color:var(--c);font-size:.8125rem;font-weight:600;white-space:nowrap;border:1px solid var(--c)}
ol{padding-left:1.4rem}ol li+li{margin-top:.4rem}
.scroll{overflow-x:auto}.scroll th,.scroll td{white-space:nowrap}
table{border-collapse:collapse;width:100%;background:var(--card);border:1px solid var(--line)}
th,td{padding:.45rem .75rem;text-align:left;vertical-align:top;border-top:1px solid var(--line)}
thead th{font-size:.8125rem;font-weight:600;color:var(--soft);border-top:0;vertical-align:bottom}
tbody th{font-weight:600}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.failures td:nth-child(-n+3),.failures th{white-space:nowrap}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.3rem 1.25rem}
dt{color:var(--soft)}dd{margin:0;min-width:0;overflow:hidden}
.case{background:var(--card);border:1px solid var(--line);border-left:.3rem solid var(--c);
border-radius:.25rem;margin:.5rem 0}
.case>summary{display:grid;grid-template-columns:auto auto minmax(0,1fr);gap:.25rem .75rem;
align-items:baseline;padding:.55rem .9rem .55rem .7rem;cursor:pointer;list-style:none}
.case>summary::-webkit-details-marker{display:none}
.case>summary:hover h4{text-decoration:underline;text-underline-offset:.2em}
.mine::before{content:"\25b8";display:inline-block;width:1.1em;color:var(--soft)}
.case[open]>summary .mine::before{content:"\25be"}
.case>summary code{font-size:.9rem;font-weight:600;white-space:nowrap}
.reason{grid-column:3;color:var(--soft)}
.inside{padding:.25rem .9rem 1rem;border-top:1px solid var(--line);overflow:hidden}
.inside>dl{margin:.75rem 0}
.found{margin:.75rem 0;padding:.6rem .9rem;background:var(--b);border-radius:.25rem;
overflow:hidden}
.found b{color:var(--c)}
.says>summary{cursor:pointer;color:var(--soft);font-size:.875rem}
.says>pre{margin:.25rem 0 .5rem}
.exchange{border:1px solid var(--line);border-radius:.25rem;margin:.5rem 0}
.exchange>summary{padding:.4rem .75rem;cursor:pointer}
.exchange>summary code{color:var(--soft)}
.exchange>div{padding:0 .75rem .75rem}
.pair{display:grid;gap:0 .75rem}
@media (min-width:60rem){.pair{grid-template-columns:minmax(0,1fr) minmax(0,1fr)}
.pair:has(>:only-child){grid-template-columns:minmax(0,1fr)}}
pre{margin:0;padding:.6rem .75rem;background:var(--code);border:1px solid var(--line);
border-radius:.25rem;white-space:pre-wrap;overflow-wrap:anywhere;overflow:hidden;
font-size:.78125rem;line-height:1.5}
pre .l{display:block;min-height:1.5em;padding-left:1.25em;text-indent:-1.25em;
line-break:anywhere}
pre.command{font-size:.84375rem}
i.o{font-style:normal;color:var(--mark);border:1px solid;border-radius:.2rem;padding:0 .1em;
margin:0 .05em;font-weight:600}
.cut{font-size:.8125rem;color:var(--soft);margin-top:.25rem}
.tools{position:sticky;top:0;z-index:1;display:flex;flex-wrap:wrap;gap:.6rem 1rem;
align-items:center;padding:.6rem 0;margin-top:2rem;background:var(--page);
border-bottom:1px solid var(--line)}
.tools input[type=search],.tools button{font:inherit;color:inherit;background:var(--card);
border:1px solid var(--soft);border-radius:.25rem;padding:.3rem .6rem}
.tools input[type=search]{flex:1 1 12rem;min-width:0}
.tools label{white-space:nowrap}
[hidden]{display:none!important}
footer{margin-top:3rem;padding-top:1rem;border-top:1px solid var(--line)}
@media (max-width:40rem){html{scroll-padding-top:1rem}
.tools{position:static}body{padding:1rem .85rem 3rem}h1{font-size:1.5rem}
dl{grid-template-columns:minmax(0,1fr);gap:0}dd{margin-bottom:.45rem}
.case>summary{grid-template-columns:auto 1fr}.case>summary h4,.reason{grid-column:1/-1}
.inside{padding:.25rem .6rem .75rem}.exchange>div{padding:0 .5rem .5rem}
th,td{padding:.4rem .5rem}.failures thead{display:none}
.failures tr,.failures td,.failures th{display:block}.failures td,.failures th{border:0;
padding:.15rem .6rem}.failures :is(td,th):nth-child(-n+3){display:inline-block;padding-right:0}
.failures tr{border-top:1px solid var(--line);padding:.4rem 0}}
@media print{:root{--page:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--code:#fff;
--link:#000;--bad:#8a1511;--good:#0d4f2a;--warn:#5c3a00;--dull:#333;--odd:#4d2070;
--mark:#702500;--bad-soft:#fff;--good-soft:#fff;--warn-soft:#fff;--dull-soft:#fff;
--odd-soft:#fff;color-scheme:light}html{font-size:9pt}
body{max-width:none;padding:0 1px}.scroll{overflow:visible}
.scroll th,.scroll td{white-space:normal;overflow-wrap:normal;padding:.3rem}.tools{display:none}
h2,h3,h5,summary{break-after:avoid}.case>summary,tr{break-inside:avoid}
.verdict,.counts li{border:1px solid var(--c)}pre{font-size:7.5pt}
.bar{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)css";
}

std::string_view page_script()
{
    return R"js(
'use strict';
(() => {
  const main = document.getElementById('cases');
  const cases = [...main.querySelectorAll('details.case')];
  const make = (tag, members) => Object.assign(document.createElement(tag), members);
  const tools = make('div', {className: 'tools'});
  tools.setAttribute('role', 'search');
  const words = make('input', {type: 'search', placeholder: 'Filter: id, clause or words'});
  words.setAttribute('aria-label', 'Filter cases by id, clause or words');
  const only = make('input', {type: 'checkbox', id: 'only'});
  const label = make('label', {htmlFor: 'only', textContent: ' Only what isn\u2019t a pass'});
  label.prepend(only);
  const left = make('span', {className: 'soft small'});
  left.setAttribute('role', 'status');
  const toggle = open => () => cases.forEach(one => {
    if (!one.hidden) one.open = open;
  });
  const unfold = make('button', {type: 'button', textContent: 'Unfold', onclick: toggle(true)});
  const fold = make('button', {type: 'button', textContent: 'Fold', onclick: toggle(false)});
  const heads = cases.map(one =>
    (one.dataset.clause + ' ' + one.querySelector('summary').textContent).toLowerCase());
  const apply = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    cases.forEach((one, place) => {
      one.hidden = (only.checked && one.classList.contains('s-pass')) ||
        !wanted.every(word => heads[place].includes(word));
      if (!one.hidden) ++count;
    });
    main.querySelectorAll('.clause, .group').forEach(part => {
      part.hidden = !part.querySelector('details.case:not([hidden])');
    });
    left.textContent = count + ' of ' + cases.length + ' cases';
  };
  words.oninput = only.onchange = apply;
  tools.append(words, label, unfold, fold, left);
  main.prepend(tools);
  apply();
})();
)js";
}

}  // namespace entente::conformance
