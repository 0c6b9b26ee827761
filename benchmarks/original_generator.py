"""The instance maker that was published with BERT, told again in plain Python on lists of ids.

It follows the algorithm of `create_pretraining_data.py` in github.com/google-research/bert
(create_instances_from_document, truncate_seq_pair, create_masked_lm_predictions) step by step, with
its habits: one document in ten is short from end to end, what a stranger took the place of is read
again, a stranger comes from the same document if ten throws find no other, a long sentence alone
is always followed by a stranger, and any piece may be the random word, [PAD] included.
Only the words are ids here, where Google's are strings; that saves it some time.
"""


def make_instances(documents, vocabulary, rng, max_length=128, short_share=0.1, slots=20):
    """Documents, lists of lists of ids -> dicts of lists, shuffled; `rng` is a random.Random."""
    documents = [[sentence for sentence in document if sentence] for document in documents]
    documents = [document for document in documents if document]
    rng.shuffle(documents)
    instances = []
    for number in range(len(documents)):
        instances += from_document(documents, number, vocabulary, rng, max_length, short_share)
    rng.shuffle(instances)
    for instance in instances:
        instance.update(mask(instance["token_ids"], vocabulary, rng, slots))
    return instances


def from_document(documents, number, vocabulary, rng, max_length, short_share):
    document = documents[number]
    room = max_length - 3  # beside [CLS], [SEP], [SEP]
    target = rng.randint(2, room) if rng.random() < short_share else room
    instances, chunk, length, i = [], [], 0, 0
    while i < len(document):
        chunk.append(document[i])
        length += len(document[i])
        if i == len(document) - 1 or length >= target:
            cut = rng.randint(1, len(chunk) - 1) if len(chunk) > 1 else 1
            first = [piece for sentence in chunk[:cut] for piece in sentence]
            is_stranger = len(chunk) == 1 or rng.random() < 0.5
            if is_stranger:
                second = stranger(documents, number, target - len(first), rng)
                i -= len(chunk) - cut  # what was not used is read again
            else:
                second = [piece for sentence in chunk[cut:] for piece in sentence]
            truncate(first, second, room, rng)
            cls, sep = vocabulary.cls, vocabulary.sep
            instances.append(
                {
                    "token_ids": [cls, *first, sep, *second, sep],
                    "segment_ids": [0] * (len(first) + 2) + [1] * (len(second) + 1),
                    "next_sentence_label": int(is_stranger),
                }
            )
            chunk, length = [], 0
        i += 1
    return instances


def stranger(documents, number, target, rng):
    for _ in range(10):
        other = rng.randint(0, len(documents) - 1)
        if other != number:
            break
    start = rng.randint(0, len(documents[other]) - 1)
    second = []
    for sentence in documents[other][start:]:
        second.extend(sentence)
        if len(second) >= target:
            break
    return second


def truncate(first, second, room, rng):
    while len(first) + len(second) > room:
        longer = first if len(first) > len(second) else second
        if rng.random() < 0.5:
            del longer[0]
        else:
            longer.pop()


def mask(token_ids, vocabulary, rng, slots, share=0.15):
    may_be_masked = [
        i for i, piece in enumerate(token_ids) if piece not in (vocabulary.cls, vocabulary.sep)
    ]
    rng.shuffle(may_be_masked)
    wanted = min(slots, max(1, round(len(token_ids) * share)))
    inputs, chosen = list(token_ids), []
    for i in may_be_masked[:wanted]:
        if rng.random() < 0.8:
            inputs[i] = vocabulary.mask
        elif rng.random() >= 0.5:
            inputs[i] = rng.randint(0, len(vocabulary) - 1)
        chosen.append((i, token_ids[i]))
    chosen.sort()
    positions = [i for i, _ in chosen]
    return {"inputs": inputs, "positions": positions, "labels": [label for _, label in chosen]}
