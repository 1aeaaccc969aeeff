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
const stream = new EventSource("/v1/stream");
stream.addEventListener("payment", (message) => {
  waiting.push(JSON.parse(message.data));
  if (waiting.length > 12) waiting.shift();
});
