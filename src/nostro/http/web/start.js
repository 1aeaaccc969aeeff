// Counts from /metrics each second, the latest outcomes from /v1/stream.
"use strict";
const element = (id) => document.getElementById(id);
const origin = location.origin;
for (const place of document.querySelectorAll(".origin")) place.textContent = origin;

const format = new Intl.NumberFormat();
let before = null;

// The sum over all series of a metric whose labels hold `label`.
function sum(text, metric, label) {
  let total = 0;
  for (const line of text.split("\n")) {
    if (!line.startsWith(metric)) continue;
    const next = line[metric.length];
    if (next !== " " && next !== "{") continue;
    if (label && !line.includes(label)) continue;
    total += Number(line.slice(line.lastIndexOf(" ") + 1));
  }
  return total;
}

async function counts() {
  try {
    const text = await (await fetch("/metrics")).text();
    const now = performance.now();
    let all = 0;
    for (const status of ["settled", "rejected", "held", "in_review"]) {
      const value = sum(text, "nostro_payments_total", `status="${status}"`);
      element(status).textContent = format.format(value);
      all += value;
    }
    element("frames").textContent = format.format(sum(text, "nostro_settlement_frames_total", ""));
    if (before) {
      const rate = Math.max(0, (all - before.all) / ((now - before.now) / 1000));
      element("rate").textContent = format.format(Math.round(rate));
    }
    before = { all, now };
    const ready = await fetch("/readiness");
    const parts = (await ready.json()).parts.filter((part) => !part.ready);
    const state = element("state");
    state.className = ready.ok ? "state good" : "state bad";
    state.textContent = parts.length === 0 ? "ready" : parts.map((part) => `${part.name}: ${part.reason}`).join("; ");
  } catch {
    element("state").className = "state bad";
    element("state").textContent = "not reachable";
  }
  setTimeout(counts, document.hidden ? 5000 : 1000);
}
counts();

const rows = element("events");
let waiting = [];
function show() {
  if (waiting.length === 0) return;
  if (rows.dataset.live === undefined) {
    rows.dataset.live = "";
    rows.replaceChildren();
  }
  for (const event of waiting.slice(-12)) {
    const row = document.createElement("tr");
    const amount = event.amount ? `${event.amount} ${event.currency ?? ""}` : "";
    const status = event.reason ? `${event.status} (${event.reason})` : event.status;
    for (const text of [event.event, status, event.debtor_account, event.creditor_account, amount]) {
      const cell = document.createElement("td");
      cell.textContent = text ?? "";
      row.append(cell);
    }
    row.lastChild.className = "number";
    rows.prepend(row);
  }
  while (rows.children.length > 12) rows.lastChild.remove();
  waiting = [];
}
setInterval(show, 500);

// The outcomes of one ledger at a time: a browser keeps six connections to a host, and each stream takes one.
const tenants = element("tenant");
let stream = null;
function follow(tenant) {
  if (stream) stream.close();
  waiting = [];
  delete rows.dataset.live;
  const cell = document.createElement("td");
  cell.colSpan = 5;
  cell.textContent = "none yet: they appear here as they become durable";
  const row = document.createElement("tr");
  row.append(cell);
  rows.replaceChildren(row);
  stream = new EventSource(`/v1/stream?tenant=${encodeURIComponent(tenant)}`);
  stream.addEventListener("payment", (message) => {
    waiting.push(JSON.parse(message.data));
    if (waiting.length > 12) waiting.shift();
  });
}

function link(path, title, text) {
  const anchor = document.createElement("a"), name = document.createElement("b"), what = document.createElement("span");
  anchor.href = path;
  name.textContent = title;
  what.textContent = text;
  anchor.append(name, what);
  element("pages").append(anchor);
}

async function profiles() {
  let served = [];
  try {
    served = (await (await fetch("/v1/profiles")).json()).data;
  } catch {
    // The counts above tell that nobody answers.
  }
  for (const { name, title } of served) {
    tenants.add(new Option(name, name));
    if (title) link(`/docs/${name}`, `${name} API`, title);
  }
  tenants.add(new Option("nostro", "nostro"));
  element("ledger").hidden = served.length === 0;
  tenants.addEventListener("change", () => follow(tenants.value));
  follow(tenants.value);
}
profiles();
