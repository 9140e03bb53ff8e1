// A page in Chromium that calls a proxy on this host by gRPC-Web and by Connect, from another origin.
//
//   PAGE_PORT    where the page is served; the proxy was started with --allow-origin http://127.0.0.1:PAGE_PORT
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { colony, url } from "./site.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));
const types = { ".js": "text/javascript", ".html": "text/html" };
const port = Number(process.env.PAGE_PORT);
const profile = mkdtempSync(join(tmpdir(), "coral-chromium-"));
let browser;

/** Its processes are one group, and write into the profile until the last of them has ended. */
function end(code, message) {
  (code ? console.error : console.log)(message);
  const leave = () => {
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    process.exit(code);
  };
  if (browser?.pid === undefined) return leave();
  browser.once("close", leave);
  process.kill(-browser.pid, "SIGKILL");
}

const server = createServer((request, response) => {
  if (request.method === "POST") {
    let text = "";
    request.on("data", (chunk) => (text += chunk));
    request.on("end", () => {
      response.end();
      end(text.includes("FAILED") ? 1 : 0, text);
    });
    return;
  }
  const path = normalize(new URL(request.url, "http://page").pathname);
  try {
    const content = readFileSync(join(folder, path));
    response.setHeader("content-type", types[extname(path)] ?? "application/octet-stream");
    response.end(content);
  } catch {
    response.statusCode = 404;
    response.end();
  }
});

server.listen(port, "127.0.0.1", () => {
  const page = `http://127.0.0.1:${port}/page.html?proxy=${encodeURIComponent(url.origin)}&colony=${colony}`;
  browser = spawn(
    "chromium",
    ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", `--user-data-dir=${profile}`, page],
    { stdio: "ignore", detached: true },
  );
  browser.on("error", (error) => end(1, `FAILED: chromium: ${error}`));
});
setTimeout(() => end(1, "FAILED: the page said nothing within a minute"), 60_000);
