// Node's `ws`, once a second, without compression: node ws_server.cjs PORT PAYLOAD_FILE
const { readFileSync } = require("node:fs");
const { WebSocketServer } = require("ws");

const [, , port, file] = process.argv;
const payload = readFileSync(file, "utf8");
const server = new WebSocketServer({
  host: "127.0.0.1",
  port: Number(port),
  backlog: 4096,
  perMessageDeflate: false,
});

setInterval(() => server.clients.forEach((client) => client.ping()), 10_000);

function tick() {
  const text = Buffer.from(payload.replace(/"t":\d+/, `"t":${Date.now()}`));
  for (const client of server.clients) client.send(text, { binary: false });
  setTimeout(tick, 1000 - (Date.now() % 1000));
}
setTimeout(tick, 1000 - (Date.now() % 1000));
