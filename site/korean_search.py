"""How the search takes Korean apart: by white space alone, 합성곱은 and 합성곱 are different words.

Korean adds endings to a word, often several. So the index has each word by its beginnings. Of what
a reader types, a particle at the end is taken off. Latin words are treated as in English.
"""

import json
import re

from korean import PARTICLES, beginnings, is_korean
from sphinx.search.en import SearchEnglish

# A word in Korean, or in other letters; of ReLU는 and 3x3의 the particle is no word.
WORD = re.compile(r"[가-힣]+|[^\W가-힣]+")
ENDING = re.compile(rf"(?<=[^\s가-힣])(?:{'|'.join(PARTICLES)})(?!\w)")

# The same in a page. A particle is taken off words of three syllables or more: of two, the last is
# more often none (높이, 결과).
SPLIT = """
var splitQuery = (query) => {
  const particles = PARTICLES;
  const behind = `(?<=[^\\\\s가-힣])(?:${particles.join("|")})(?![\\\\p{L}\\\\p{N}_])`;
  const words = query.normalize("NFC").replace(new RegExp(behind, "gu"), " ");
  return (words.match(/[가-힣]+|(?:(?![가-힣])[\\p{L}\\p{N}_])+/gu) ?? []).map((word) => {
    const found = particles.find((one) => word.endsWith(one) && word.length > one.length + 1);
    return found ? word.slice(0, -found.length) : word;
  });
};
"""


class KoreanSearch(SearchEnglish):
    """The words of Korean pages, which have English ones between them."""

    lang = "ko"
    js_splitter_code = SPLIT.replace("PARTICLES", json.dumps(PARTICLES, ensure_ascii=False), 1)

    def split(self, text):
        """The words of a text; Korean ones by their beginnings."""
        words = WORD.findall(ENDING.sub(" ", text))
        return [
            part for word in words for part in (beginnings(word) if is_korean(word) else [word])
        ]

    def stem(self, word):
        return word if is_korean(word) else super().stem(word)
