// A button for light or dark.

// The style's own rules for dark apply where the browser asks for dark, or where the button does.
function paint(button) {
  const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules])
    .filter((rule) => rule.media && rule.media.mediaText.includes("prefers-color-scheme"));
  let dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const name = () => { button.textContent = dark ? "\u2600 Light" : "\u263e Dark"; };
  button.addEventListener("click", () => {
    dark = !dark;
    for (const rule of rules) rule.media.mediaText = dark ? "all" : "not all";
    document.documentElement.style.colorScheme = dark ? "dark" : "light";
    name();
  });
  name();
  button.hidden = false;
}
