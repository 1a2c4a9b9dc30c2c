// Corrections, and the lesson that is learned from them.

import { element } from "/page/result.js";
import { fetchWithToken } from "/page/token.js";

const LEAST = 6; // corrections, fewer are not enough to learn from some and to measure on the others
// The service, or what stands before it and gave up, said nothing that is JSON.
const UNANSWERED = { ok: false, told: { detail: "The service does not answer: try again." } };
const byId = (id) => document.getElementById(id);

export async function offerTeaching(chosenDigit) {
  for (let digit = 0; digit < 10; digit += 1) {
    const button = element("button", { type: "button", textContent: digit });
    button.addEventListener("click", () => correct(chosenDigit(), String(digit)));
    byId("labels").append(button);
  }
  byId("teach").addEventListener("click", teach);
  byId("unteach").addEventListener("click", () => ask("/v1/teaching/undo", undefined, "Taken back."));
  byId("correct").hidden = false;
  const answer = await fetchWithToken("/v1/teaching");
  if (answer.ok) show(await answer.json());
}

async function correct(digit, label) {
  if (!digit) return tell("No digit is chosen: nothing was kept.");
  const { seen, text: read, confidence } = digit;
  await ask("/v1/corrections", { seen, label, read, confidence }, `Kept: that was a ${label}.`);
}

async function teach() {
  byId("teach").disabled = true;
  tell("Learning, a few seconds …");
  await ask("/v1/teaching", undefined, "");
}

// Sends a request, shows what is known after it, and says what came of it.
async function ask(path, content, done) {
  const { ok, told } = await post(path, content).catch(() => UNANSWERED);
  if (ok) {
    show(told);
    tell(done || wordsOf(told.lesson));
  } else {
    byId("teach").disabled = false;
    tell(told.detail);
  }
}

async function post(path, content) {
  const answer = await fetchWithToken(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: content && JSON.stringify(content),
  });
  return { ok: answer.ok, told: await answer.json() };
}

function show({ corrections, teaching, model }) {
  byId("teach").textContent = `Teach it ${corrections === 1 ? "this one" : `these ${corrections}`}`;
  byId("teach").disabled = teaching || corrections < LEAST;
  byId("teach").title = corrections < LEAST ? `From ${LEAST} corrections on` : "";
  byId("unteach").hidden = model === null;
}

function wordsOf({ kept, kept_errors: kepts, mnist_errors: mnist, accepted, seconds }) {
  const before = `Of ${kept} corrections that it did not see it read ${kepts[0]} wrong before, and ${kepts[1]} after; `;
  const known = `of MNIST's held-out digits ${mnist[0]}, and ${mnist[1]}. `;
  const verdict = accepted ? "So the new one is in use." : "So the old one stays.";
  return `${before}${known}${verdict} (${seconds.toFixed(1)} s)`;
}

const tell = (words) => (byId("corrected").textContent = words);
