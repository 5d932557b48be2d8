"""What is needed to know of Korean words: they stand with particles behind them.

Needs nothing beyond the standard library.
"""

# What stands behind a noun. 도 is not among them: 정확도 and 해상도 end in it.
BEHIND_A_NOUN = """
은 는 이 가 을 를 의 에 와 과 로 으로 만 인 들 에서 에게 에는 에서는 으로는 로는 와는 과는
까지 부터 처럼 보다 마다 마저 이나 이란 란 이라 라 이라고 라고 이라는 라는 이며 이고 이므로 이어도
이다 입니다 이었습니다 였습니다 들은 들이 들을 들의 하고 에만 만은 만을
"""
PARTICLES = sorted(BEHIND_A_NOUN.split(), key=len, reverse=True)  # the longest first
# The initial consonants in the order in which Unicode composes syllables; the doubled ones stand
# with the simple ones, as in a dictionary.
INITIALS = "ㄱㄱㄴㄷㄷㄹㅁㅂㅂㅅㅅㅇㅈㅈㅊㅋㅌㅍㅎ"
FIRST_SYLLABLE, SYLLABLES_OF_AN_INITIAL = ord("가"), 588


def initial(word):
    """The heading for a Korean word: its initial consonant, or A–Z for what begins in Latin."""
    number = (ord(word[0]) - FIRST_SYLLABLE) // SYLLABLES_OF_AN_INITIAL
    return INITIALS[number] if 0 <= number < len(INITIALS) else "A–Z"


def korean_order(word):
    """Sorts in 가나다 order, which is Unicode's; spaces do not count, and Latin words come last."""
    return initial(word) == "A–Z", word.replace(" ", "").casefold()


def is_korean(word):
    """Whether a word is written in Korean letters."""
    return "가" <= word[0] <= "힣"


def beginnings(word):
    """A Korean word by its beginnings: of two syllables or more, of one before a particle."""
    found = [word[:end] for end in range(2, len(word) + 1)] or [word]
    return [word[0], *found] if word[1:] in PARTICLES else found
