"""Everything random is a choice; a word is a function of choices; so the best guess is known.

A story is drawn by drawing `Choice`s: who it is about, what the weather is, which adverb stands
here. Nothing else is random: each `Word` is computed from the choices that it names. So the exact
distribution of a hidden word, given the words that are seen, can be computed as well.
"""


class Choice:
    """One draw from `options`; with a parent, options are a function of the parent's value.

    An option that stands twice in the tuple is twice as probable. `name` says what is chosen, where
    minimal pairs ask for it.
    """

    def __init__(self, rng, options, parent=None, name=""):
        self.name = name
        self.parent = parent
        self.children = []
        self._options = options
        if parent is not None:
            parent.children.append(self)
        here = self.options({})
        self.value = here[int(rng.random() * len(here))]

    def options(self, values):
        """What can be drawn where the choices in `values` have those values instead of theirs."""
        if self.parent is None:
            return self._options
        return self._options(values.get(self.parent, self.parent.value))

    def all_options(self):
        """What could be drawn, whatever the parent's value."""
        if self.parent is None:
            return list(dict.fromkeys(self._options))
        lists = [self._options(value) for value in self.parent.all_options()]
        return list(dict.fromkeys(option for options in lists for option in options))

    def probability(self, values):
        options = self.options(values)
        return options.count(values.get(self, self.value)) / len(options)

    def leaves_trace(self, seen):
        """Whether a visible word depends on it, or on what was drawn because of it."""
        return self in seen or any(child.leaves_trace(seen) for child in self.children)


class Word:
    """form(*values of its choices).

    `kind` says what it is in the grammar; `rival` is a word that the grammar forbids in its place.
    """

    rival = None

    def __init__(self, form, choices=(), kind=""):
        self.form = form
        self.choices = tuple(choices)
        self.kind = kind
        self.text = self.would_be({})

    def would_be(self, values):
        """Its text where the choices in `values` have those values instead of theirs."""
        return self.form(*(values.get(choice, choice.value) for choice in self.choices))

    def then(self, function, choices=(), kind=""):
        """The word function(this word's text, *values of more choices)."""
        count = len(self.choices)
        form = self.form
        return Word(
            lambda *values: function(form(*values[:count]), *values[count:]),
            (*self.choices, *choices),
            kind,
        )

    def depends_on(self, unknown, values):
        """Whether one of the `unknown` choices could change it, others being as `values` say."""
        return any(choice in unknown for choice in self.choices)


class EitherWord(Word):
    """A word about one of two people: `branches[which.value]`, a word for each."""

    def __init__(self, which, branches):
        self.which = which
        self.branches = branches
        choices = dict.fromkeys(c for word in branches.values() for c in word.choices)
        self.choices = (which, *choices)
        self.kind = branches[which.value].kind
        self.text = self.would_be({})

    def would_be(self, values):
        return self.branches[values.get(self.which, self.which.value)].would_be(values)

    def then(self, function, choices=(), kind=""):
        branches = {name: w.then(function, choices, kind) for name, w in self.branches.items()}
        return EitherWord(self.which, branches)

    def depends_on(self, unknown, values):
        if self.which in unknown:
            return True
        return self.branches[values.get(self.which, self.which.value)].depends_on(unknown, values)


def seen_by_choice(words):
    """{choice: the words among `words` that depend on it}."""
    seen = {}
    for word in words:
        for choice in word.choices:
            seen.setdefault(choice, []).append(word)
    return seen


def distribution(word, seen):
    """P(text of a hidden word | every word in `seen`, every choice that this word does not name).

    Whoever guesses from the visible words alone knows no more than this, so no guess is right more
    often than the most probable text here, and no cross-entropy lies below that of these
    probabilities. They are exact: a sum over all values of the word's own choices, each weighed by
    its prior and by whether the visible words could then stand as they do.
    """
    totals = {}
    for values, weight in _possible_values(word.choices, seen, {}):
        text = word.would_be(values)
        totals[text] = totals.get(text, 0) + weight
    whole = sum(totals.values())
    return {text: weight / whole for text, weight in totals.items()}


def _possible_values(choices, seen, values):
    """({choice: value}, weight) for all values that the visible words allow; parents come first."""
    if not choices:
        weight = _weight(values, seen)
        if weight:
            yield dict(values), weight
        return
    ready = next(c for c in choices if c.parent not in choices)
    rest = tuple(c for c in choices if c is not ready)
    # The words to hold a value against: those that depend on nothing that is still to be set.
    witnesses = [w for w in seen.get(ready, ()) if not w.depends_on(rest, values)]
    for value in dict.fromkeys(ready.options(values)):
        values[ready] = value
        if all(witness.would_be(values) == witness.text for witness in witnesses):
            yield from _possible_values(rest, seen, values)
        del values[ready]


def _weight(values, seen):
    """Product of P(choice | parent), known children of these choices included."""
    weight = 1.0
    for choice in values:
        weight *= choice.probability(values)
        for child in choice.children:
            if child not in values and child.leaves_trace(seen):
                weight *= child.probability(values)
    return weight
