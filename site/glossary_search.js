// On the search page, above what the search finds: the glossary's entry for what was typed, or the
// word that was probably meant. WORDS holds [word, anchor, English word, first Korean word], SAID the
// sentences in the language of the page.

(() => {
  const plainWord = (text) => {
    const word = text.toLowerCase().normalize("NFC").trim();
    return isKorean(word) ? word.replace(/\s+/g, "") : word;  // 특징맵 is 특징 맵
  };
  const isKorean = (text) => /[가-힣]/.test(text);
  const isKoreanPage = document.documentElement.lang === "ko";
  const inItsLanguage = (text) => {
    if (isKorean(text) === isKoreanPage) return text;
    const span = document.createElement("span");
    span.lang = isKorean(text) ? "ko" : "en";
    span.textContent = text;
    return span;
  };

  // How many letters are wrong, missing, too many or exchanged with their neighbour.
  const distance = (a, b) => {
    const rows = Array.from({ length: a.length + 1 }, (_, i) => [i]);
    for (let j = 1; j <= b.length; j++) rows[0][j] = j;
    for (let i = 1; i <= a.length; i++)
      for (let j = 1; j <= b.length; j++) {
        const same = a[i - 1] === b[j - 1];
        rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + !same);
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
          rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
      }
    return rows[a.length][b.length];
  };

  // The words that were meant: the same, else with a Korean particle or an English plural behind it,
  // else what begins so, else what is spelled almost so.
  const meant = (typed) => {
    const all = WORDS.map((one) => [plainWord(one[0]), one]);
    const longest = (found) => {
      const length = Math.max(0, ...found.map(([word]) => word.length));
      return found.filter(([word]) => word.length === length);
    };
    const room = isKorean(typed) ? (typed.length > 2 ? 1 : 0) : typed.length > 6 ? 2 : typed.length > 3 ? 1 : 0;
    const close = all.map(([word, one]) => [distance(typed, word), word, one]).filter(([d]) => d <= room);
    const best = Math.min(...close.map(([d]) => d));
    const tries = [
      all.filter(([word]) => word === typed),
      longest(all.filter(([word]) => isKorean(word) && word.length > 1 && typed.startsWith(word))),
      all.filter(([word]) => typed === `${word}s` || typed === `${word}es`),
      typed.length > 2 ? all.filter(([word]) => word.startsWith(typed)).slice(0, 5) : [],
    ];
    const found = tries.find((one) => one.length);
    if (found) return { sure: true, words: found.map(([, one]) => one) };
    return { sure: false, words: close.filter(([d]) => d === best).map(([, , one]) => one).slice(0, 3) };
  };

  const typed = plainWord(new URLSearchParams(location.search).get("q") ?? "");
  const whole = meant(typed);
  const single = typed.split(/\s+/).map(meant);
  const found = whole.words.length || !typed ? [whole] : single;
  const seen = new Set();
  const place = document.getElementById("glossary-results");
  for (const { sure, words } of found)
    for (const [word, anchor, english, korean] of words) {
      if (seen.has(english)) continue;
      seen.add(english);
      const line = document.createElement("p");
      const [before, after] = (sure ? SAID.sure : SAID.unsure).split("{word}");
      const link = document.createElement("a");
      link.href = sure ? `glossary.html#${anchor}` : `search.html?q=${encodeURIComponent(word)}`;
      // The word in the language of the page, and the other one in brackets.
      const names = isKoreanPage ? [korean, english] : [english, korean];
      link.append(inItsLanguage(sure ? names[0] : word));
      line.append(before, link);
      if (sure && names[0] !== names[1]) line.append(" (", inItsLanguage(names[1]), ")");
      line.append(after);
      place.append(line);
    }

  // The theme's advice speaks of categories, and there are none.
  document.addEventListener("DOMContentLoaded", () => {
    Documentation.TRANSLATIONS[
      "Your search did not match any documents. Please make sure that all words are spelled correctly and that you've selected enough categories."
    ] = SAID.nothing;
  });
})();
