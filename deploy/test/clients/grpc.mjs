// The gRPC client of Node.js, which knows the protocol from the .proto files alone.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";
import { check, colony, failure, isTls, tls, url } from "./site.mjs";

const definition = loader.loadSync("coral/colony/v1/colony.proto", {
  includeDirs: [fileURLToPath(new URL("../../../src/main/protobuf", import.meta.url))],
});
const { ColonyService } = grpc.loadPackageDefinition(definition).coral.colony.v1;
const client = new ColonyService(
  url.host,
  isTls ? grpc.credentials.createSsl(tls.ca, tls.key, tls.cert) : grpc.credentials.createInsecure(),
);

const call = (method, request, options = {}) =>
  new Promise((resolve, reject) =>
    client[method](request, options, (error, answer) => (error ? reject(error) : resolve(answer))),
  );

/** All messages of a stream, and how it ended. */
const stream = (method, request, options = {}) =>
  new Promise((resolve) => {
    const messages = [];
    const opened = client[method](request, options);
    opened.on("data", (message) => messages.push(message));
    opened.on("error", (error) => resolve({ messages, error }));
    opened.on("end", () => resolve({ messages }));
  });

await check("grpc-js: unary", async () => {
  assert.equal((await call("getStatus", {})).colonyId, colony);
});
await check("grpc-js: a hundred calls at once on one connection", async () => {
  const answers = await Promise.all(Array.from({ length: 100 }, () => call("getStatus", {})));
  assert.ok(answers.every((answer) => answer.colonyId === colony));
});
await check("grpc-js: a stream, and its deadline", async () => {
  const { messages, error } = await stream("watchAgents", {}, { deadline: Date.now() + 1500 });
  assert.ok(messages.some((message) => message.complete));
  assert.equal(error.code, grpc.status.DEADLINE_EXCEEDED);
});
await check("grpc-js: code, message and details of an error", async () => {
  const error = await failure(() => call("listAgents", { pageSize: -1 }));
  assert.equal(error.code, grpc.status.INVALID_ARGUMENT);
  assert.match(error.details, /page_size/);
  const details = error.metadata.get("grpc-status-details-bin")[0];
  assert.ok(details.includes("google.rpc.ErrorInfo"), String(details));
});
await check("grpc-js: compressed requests", async () => {
  const compressed = new ColonyService(
    url.host,
    isTls ? grpc.credentials.createSsl(tls.ca, tls.key, tls.cert) : grpc.credentials.createInsecure(),
    { "grpc.default_compression_algorithm": grpc.compressionAlgorithms.gzip },
  );
  const answer = await new Promise((resolve, reject) =>
    compressed.listAllocations({ pageSize: 3 }, (error, ok) => (error ? reject(error) : resolve(ok))),
  );
  assert.ok(Number(answer.capacity) > 0);
});
process.exit(0);
