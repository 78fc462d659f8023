/* Gives a hands-on figure (rnncourse/handson.py) its slider: one image a position, one shown at a time. */
document.querySelectorAll("figure.hands-on").forEach((figure, number) => {
  const frames = [...figure.querySelectorAll("img")].sort((a, b) => a.dataset.position - b.dataset.position);
  const start = figure.querySelector(":scope > img");
  const label = document.createElement("label");
  const slider = document.createElement("input");
  const value = document.createElement("span");
  slider.type = "range";
  slider.min = 0;
  slider.max = frames.length - 1;
  slider.value = start.dataset.position;
  slider.id = `hands-on-${number + 1}`;
  label.htmlFor = slider.id;
  label.append(figure.dataset.label);
  // The value is for the eye: a screen reader says aria-valuetext, then what the figure now shows.
  value.className = "hands-on-value";
  value.ariaHidden = "true";
  frames.forEach((frame, k) => (frame.id = `${slider.id}-${k}`));

  const show = () => {
    frames.forEach((frame, k) => (frame.hidden = k !== +slider.value));
    const shown = frames[slider.value];
    value.textContent = shown.dataset.value.replace("-", "−");
    slider.ariaValueText = value.textContent;
    slider.setAttribute("aria-describedby", shown.id);
  };
  const control = document.createElement("div");
  control.className = "hands-on-control";
  control.append(label, value, slider);
  figure.querySelector("details").remove();
  figure.prepend(control, ...frames);
  slider.addEventListener("input", show);
  show();
});
