// The same in Node.js: brings a matter in, and prints what became of it. Needs @nats-io/transport-node only.
import { randomUUID } from "node:crypto";
import { connect, headers } from "@nats-io/transport-node";

const url = new URL(process.env.NATS_URL ?? "nats://127.0.0.1:4222");
const actor = url.username || "gateway"; // the credential's name is who acts, and where answers come
const key = process.argv[2] ?? `${actor}:${randomUUID()}`; // your own token, and the number it has with you

const client = await connect({
  servers: url.host,
  ...(url.username && { user: url.username, pass: url.password }),
  inboxPrefix: `_INBOX.${actor}`,
});
client.subscribe(`notice.*.*.*.${actor}`, {
  callback: (_, msg) => console.log("heard", msg.subject, msg.string()),
});
client.subscribe(`evt.*.*.*.${actor}`, {
  callback: (_, msg) => console.log("heard", msg.subject, msg.string()),
});

const about = headers();
const attributes = {
  "ce-specversion": "1.0", "ce-id": `${key}/submit`, "ce-source": "/hotline",
  "ce-type": "duban.intake.submit_matter.v1", "ce-subject": key, "content-type": "application/json",
};
for (const [name, value] of Object.entries(attributes)) about.set(name, value);
const matter = { title: "村口公厕堵塞", category: "public_toilet", channel: "hotline" };

// The reply says that the matter is on disk. Without one, send the very same again.
const ack = await client.request(
  `cmd.intake.submit_matter.v1.${actor}`, JSON.stringify(matter), { headers: about, timeout: 10_000 });
console.log("stored", ack.string());

const ask = async (subject, question) =>
  (await client.request(`query.${subject}.v1.${actor}`, JSON.stringify(question), { timeout: 10_000 })).json();
const until = async (subject, question, found) => {
  for (;;) {
    const answer = found(await ask(subject, question));
    if (answer) return answer;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
};
const question = { asked: [[key, `${key}/submit`]], source: attributes["ce-source"] };
const answer = await until("intake.answers", question, (said) => said.answers[0]);
for (const fact of answer.facts) console.log("answer", fact.type, fact.data);
if (answer.facts.some((fact) => fact.type === "duban.intake.matter_accepted.v1"))
  console.log("number", await until("ledger.find", { submission: key }, (said) => said.entry));
await client.drain();
