/** The reference page: reads `/openapi.json` of its own origin and shows it. Needs nothing from any other. */

const style = `:root{color-scheme:light dark;--line:#8884;--soft:#8882}
body{margin:0 auto;max-width:62rem;padding:1rem;font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}
input{width:100%;box-sizing:border-box;padding:.5rem;font:inherit;border:1px solid var(--line);border-radius:.4rem;background:transparent;color:inherit}
details{border:1px solid var(--line);border-radius:.4rem;margin:.4rem 0;padding:.3rem .7rem}
summary{cursor:pointer}summary b{display:inline-block;min-width:4.2rem;font-family:ui-monospace,monospace}
code,pre{font:13px/1.45 ui-monospace,monospace}pre{background:var(--soft);padding:.6rem;border-radius:.4rem;overflow:auto}
table{border-collapse:collapse}td{padding:.1rem .8rem .1rem 0;vertical-align:top}.muted{opacity:.7}`;

const script = `const list=document.querySelector("#list"),search=document.querySelector("#search");
const make=(tag,text,parent)=>{const e=document.createElement(tag);if(text!==undefined)e.textContent=text;parent?.append(e);return e};
const resolve=(doc,s,depth=0)=>{if(!s||depth>6)return s;if(s.$ref){return resolve(doc,doc.components.schemas[s.$ref.split("/").pop()],depth+1)}
if(Array.isArray(s))return s.map(x=>resolve(doc,x,depth+1));if(typeof s==="object")return Object.fromEntries(Object.entries(s).map(([k,v])=>[k,resolve(doc,v,depth+1)]));return s};
const example=s=>{if(!s)return null;if(s.const!==undefined)return s.const;if(s.anyOf||s.oneOf)return example((s.anyOf||s.oneOf)[0]);
const t=Array.isArray(s.type)?s.type[0]:s.type;if(t==="object"||s.properties)return Object.fromEntries(Object.entries(s.properties||{}).map(([k,v])=>[k,example(v)]));
if(t==="array")return[example(s.items)];if(t==="boolean")return true;if(t==="integer"||t==="number")return 0;if(t==="null")return null;return"…"};
const show=(doc,path,verb,op)=>{const d=make("details",undefined,list);d.dataset.text=(verb+" "+path+" "+op.summary).toLowerCase();
const s=make("summary",undefined,d);make("b",verb.toUpperCase(),s);make("code",path,s);make("span"," "+op.summary,s).className="muted";
d.addEventListener("toggle",()=>{if(!d.open||d.dataset.done)return;d.dataset.done=1;if(op.description)make("p",op.description,d);
if(op.parameters?.length){make("p","Parameters",d);const t=make("table",undefined,d);for(const p of op.parameters){const r=make("tr",undefined,t);make("code",p.name,make("td",undefined,r));make("td",p.in,r)}}
const body=op.requestBody?.content?.["application/json"]?.schema;if(body){make("p","Body",d);make("pre",JSON.stringify(example(resolve(doc,body)),null,1),d)}
for(const[status,r]of Object.entries(op.responses)){make("p",status+" "+r.description,d);const b=r.content?.["application/json"]?.schema;
if(b&&Number(status)<300)make("pre",JSON.stringify(example(resolve(doc,b)),null,1),d)}})};
fetch("/openapi.json").then(r=>r.json()).then(doc=>{let last="";const all=[];for(const[path,verbs]of Object.entries(doc.paths))for(const[verb,op]of Object.entries(verbs))all.push([op.tags[0],path,verb,op]);
all.sort((a,b)=>a[0]<b[0]?-1:a[0]>b[0]?1:0);for(const[tag,path,verb,op]of all){if(tag!==last)make("h2",last=tag,list);show(doc,path,verb,op)}});
search.addEventListener("input",()=>{const q=search.value.toLowerCase();for(const d of list.querySelectorAll("details"))d.hidden=!d.dataset.text.includes(q)});`;

export function referencePage(nonce: string): string {
  return (
    `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n` +
    `<title>authkit-server reference</title>\n<style nonce="${nonce}">${style}</style>\n</head>\n<body>\n<h1>authkit-server</h1>\n` +
    `<p>Everything this server answers. The same as data: <a href="/openapi.json">/openapi.json</a></p>\n` +
    `<input id="search" type="search" placeholder="Search routes and methods" aria-label="Search routes and methods">\n<main id="list"></main>\n` +
    `<script nonce="${nonce}">${script}</script>\n</body>\n</html>\n`
  );
}
