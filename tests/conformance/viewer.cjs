// A viewer on Node's ws: says in one line of JSON what it was granted and sent.
const WebSocket = require("ws");

const socket = new WebSocket(process.argv[2], "monitor.v1");
const types = [];
socket.on("open", () => socket.send(process.argv[3]));
socket.on("message", (text) => {
  types.push(JSON.parse(text).type);
  // Once: a fourth may be in the same packet.
  if (types.at(-1) !== "tick" || types.filter((type) => type === "tick").length !== 3) return;
  console.log(JSON.stringify({ extensions: socket.extensions, types }));
  socket.close();
});
