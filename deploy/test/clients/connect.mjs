// Connect's client for Node.js: its three protocols, both encodings, HTTP/1.1 and HTTP/2.
import assert from "node:assert/strict";
import { Code, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { ColonyService } from "./gen/coral/colony/v1/colony_pb.js";
import { check, colony, failure, tls, url } from "./site.mjs";

const protocols = {
  Connect: createConnectTransport,
  "Connect by GET": (options) => createConnectTransport({ ...options, useHttpGet: true }),
  gRPC: createGrpcTransport,
  "gRPC-Web": createGrpcWebTransport,
};

for (const [protocol, transport] of Object.entries(protocols)) {
  for (const httpVersion of protocol === "gRPC" ? ["2"] : ["1.1", "2"]) {
    for (const useBinaryFormat of [true, false]) {
      const client = createClient(
        ColonyService,
        transport({ baseUrl: url.origin, httpVersion, useBinaryFormat, nodeOptions: tls }),
      );
      const form = `${protocol}, ${useBinaryFormat ? "binary" : "JSON"}, HTTP/${httpVersion}`;
      await check(`connect-node: ${form}`, () => exercise(client));
    }
  }
}

async function exercise(client) {
  const status = await client.getStatus({});
  assert.equal(status.colonyId, colony);

  const held = await client.listAllocations({ pageSize: 1 });
  assert.ok(held.capacity > 0n);

  // A stream that does not end by itself: the first message, then the deadline.
  let complete = false;
  const ended = await failure(async () => {
    for await (const message of client.watchAgents({}, { timeoutMs: 1500 })) {
      complete ||= message.complete;
    }
  });
  assert.equal(ended.code, Code.DeadlineExceeded, String(ended));
  assert.ok(complete, "the first picture came before the deadline");

  const refused = await failure(() => client.listAgents({ pageSize: -1 }));
  assert.equal(refused.code, Code.InvalidArgument, String(refused));
  assert.match(refused.rawMessage, /page_size/);
  const details = refused.details.map((detail) => detail.type);
  assert.deepEqual(details, ["google.rpc.ErrorInfo"], "details");

  const unknown = await failure(async () => {
    for await (const message of client.pingAgent({ agentId: "nobody-here" })) {
      assert.fail(String(message));
    }
  });
  assert.equal(unknown.code, Code.NotFound, String(unknown));
}
process.exit(0);
