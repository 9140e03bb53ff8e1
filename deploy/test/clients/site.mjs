// What every client here is told: where Coral answers, and who calls.
//
//   CORAL_URL                               https://localhost:PORT of a colony, or http://127.0.0.1:PORT of a proxy
//   CORAL_CA, CORAL_CERT, CORAL_KEY         PEM files, for https
//   CORAL_COLONY                            the id that the colony says it has
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

export const url = new URL(process.env.CORAL_URL);
export const isTls = url.protocol === "https:";
export const colony = process.env.CORAL_COLONY;
export const tls = isTls
  ? {
      ca: readFileSync(process.env.CORAL_CA),
      cert: readFileSync(process.env.CORAL_CERT),
      key: readFileSync(process.env.CORAL_KEY),
    }
  : {};

export async function check(name, action) {
  try {
    await action();
    console.log(`  ok  ${name}`);
  } catch (error) {
    console.error(`FAILED: ${name}: ${error.stack ?? error}`);
    process.exit(1);
  }
}

/** The error that an action fails with; it must fail. */
export async function failure(action) {
  try {
    await action();
  } catch (error) {
    return error;
  }
  return assert.fail("it did not fail");
}
