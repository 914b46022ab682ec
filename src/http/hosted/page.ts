import type { Config } from "../../config/config.ts";
import { escapeHtml } from "../../core/messages/templates/fill.ts";
import { hostedWording } from "./wording.ts";

export type HostedPage = "verify" | "reset";

const style = `:root{color-scheme:light dark}
body{margin:12vh auto;max-width:24rem;padding:0 1rem;font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.3rem}label{display:block;margin:1rem 0}
input,button{width:100%;box-sizing:border-box;padding:.6rem;font:inherit;border:1px solid #8888;border-radius:.4rem}
input{background:transparent;color:inherit;margin-top:.3rem}
button{border:0;background:#1a56db;color:#fff;cursor:pointer}button:disabled{opacity:.5}
output{display:block;margin-top:1rem}`;

// The token leaves the address bar at once, and is used only when somebody presses the button: what merely opens links uses nothing up.
// A confirmation that signs in ends that session again, since nobody here goes on with it.
const script = `const settings=JSON.parse(document.querySelector("#settings").textContent);
const query=new URLSearchParams(location.search),token=query.get("token")||"",channel=query.get("channel")==="phone"?"phone":"email";
history.replaceState(null,"",location.pathname);
const form=document.querySelector("form"),button=form.querySelector("button"),said=document.querySelector("output"),input=form.querySelector("input");
const say=text=>{said.textContent=text};
const show=code=>say(settings.errors[code]||settings.failed);
if(token==="")show("invalid_request");button.disabled=token==="";
form.addEventListener("submit",async event=>{event.preventDefault();button.disabled=true;say("");
try{const body=settings.page==="reset"?{token,new_password:input.value}:{token};
const route=settings.page==="reset"?"/password/reset/confirm":"/verify/confirm";
const reply=await fetch(settings.api+"/"+channel+route,{method:"POST",headers:{"Content-Type":"application/json"},body:JSON.stringify(body)});
const answer=await reply.json().catch(()=>({}));
if(reply.ok){if(answer.access_token)await fetch(settings.api+"/logout",{method:"DELETE",headers:{Authorization:"Bearer "+answer.access_token}});
form.hidden=true;say(settings.done);return}
show(answer.error&&answer.error.code)}catch{say(settings.failed)}
button.disabled=false});`;

/** JSON inside a script element: nothing in it can end the element. */
function embedded(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

/** The page a mailed link opens where no front end is configured. Nothing of the request is in it but its language. */
export function hostedPage(
  page: HostedPage,
  config: Pick<Config, "issuer" | "apiPrefix" | "senders">,
  language: string,
  nonce: string,
): string {
  const { language: spoken, words } = hostedWording(language);
  const { title, action, done } = words[page];
  const app = escapeHtml(config.senders.appName);
  const api = `${new URL(config.issuer).pathname.replace(/\/$/, "")}${config.apiPrefix}`;
  const settings = { page, api, done, errors: words.errors, failed: words.failed };
  const fields =
    page === "reset"
      ? `<label>${words.reset.label}<input type="password" autocomplete="new-password" required></label>`
      : `<p>${words.verify.intro}</p>`;
  return (
    `<!doctype html>\n<html lang="${spoken}">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n` +
    `<meta name="robots" content="noindex">\n<title>${title} – ${app}</title>\n<style nonce="${nonce}">${style}</style>\n</head>\n` +
    `<body>\n<p>${app}</p>\n<h1>${title}</h1>\n<form>${fields}<button>${action}</button></form>\n<output></output>\n` +
    `<noscript>${words.noScript}</noscript>\n<script type="application/json" id="settings">${embedded(settings)}</script>\n` +
    `<script nonce="${nonce}">${script}</script>\n</body>\n</html>\n`
  );
}
