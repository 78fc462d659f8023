/* Turns a self-test, an admonition holding a task list, into radio buttons that answer with a reason.
   Each list item is an option: the ticked one is right, and its last emphasised text is the reason. */
document.querySelectorAll(".admonition.selftest").forEach((test, number) => {
  const list = test.querySelector("ul.contains-task-list");
  if (!list) return;
  const question = list.previousElementSibling;
  question.id ||= `selftest-${number + 1}`;
  list.setAttribute("role", "radiogroup");
  list.setAttribute("aria-labelledby", question.id);

  const answer = document.createElement("p");
  answer.className = "selftest-answer";
  answer.setAttribute("role", "status");
  list.after(answer);

  for (const option of list.children) {
    const tick = option.querySelector("input");
    const paragraph = tick.parentElement;
    const reason = paragraph.querySelector(":scope > em:last-of-type");
    const verdict = document.createElement("strong");
    verdict.textContent = tick.checked ? "Right. " : "Not this one. ";
    option.dataset.answer = tick.checked ? "right" : "wrong";
    option.setAttribute("role", "presentation");

    const radio = document.createElement("input");
    radio.type = "radio";
    radio.name = question.id;
    radio.addEventListener("change", () => answer.replaceChildren(verdict, ...(reason?.cloneNode(true).childNodes ?? [])));
    tick.replaceWith(radio);
    if (reason) reason.hidden = true;
    const label = document.createElement("label");
    label.append(...paragraph.childNodes);
    paragraph.append(label);
  }
});
