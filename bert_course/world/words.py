"""The words of the small world, and how they inflect."""

GIRLS = tuple(
    """Ada Alma Anna Beatrice Bella Cora Daisy Edith Ella Esme Fern Flora Greta Hazel Ida Iris
    Ivy Jane Juno Lena Lily Lucy Mabel Maya Mira Nell Nora Olive Pearl Rosa Ruby Sara Tilda Una Vera
    Willow Wren Zoe""".split()
)
BOYS = tuple(
    """Abel Adam Alfie Arlo Basil Ben Boris Caleb Cyril Dan Elias Emil Ezra Felix Finn Gus Hugo
    Igor Ivan Jasper Jonas Karl Leo Louis Max Milo Ned Oscar Otto Paul Quentin Ralph Rowan Sam Silas
    Theo Tom Victor Walt Yusuf""".split()
)
# Some are names of people too, and some are words: only the story tells.
PETS = tuple(
    """Acorn Barley Basil Biscuit Button Clover Cricket Dumpling Fern Fig Ginger Hazel Juno
    Lentil Marmalade Max Mustard Nettle Noodle Olive Parsley Pearl Pebble Pepper Pickle Pip Pudding
    Radish Rosa Teasel Thimble Thistle Toffee Truffle Turnip Waffle""".split()
)
VILLAGES = tuple(
    start + end
    for start in """Amber Apple Badger Birch Black Clover Corn Crab Crow Fern Fox Goose Hazel Heron
        Honey Kettle Lark Long Maple Mill Moss Nettle Otter Owl Penny Puddle Quince Rain Silver Snow
        Stone Swan Thistle White Willow Wind""".split()
    for end in """bridge brook bury by combe cross dale field ford gate ham haven hill hollow mere
        stead wick worth""".split()
)

DAYS = tuple("Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split())
COLOURS = "amber black blue brown crimson green grey orange pink purple red silver white yellow"
COLOURS = tuple(COLOURS.split())
NUMERALS = tuple("two three four five six seven eight nine ten eleven twelve".split())

# season: weather; what it shows; what one wears
SEASONS = {
    "spring": ("drizzle mist dew", "lambs tulips daffodils nestlings", "raincoat cardigan"),
    "summer": ("sunshine heat haze", "swallows strawberries poppies picnics", "sunhat pinafore"),
    "autumn": ("fog rain wind", "mushrooms chestnuts bonfires spiders", "shawl waistcoat"),
    "winter": ("snow frost ice", "icicles snowmen sledges robins", "overcoat bonnet"),
}

SEASONS = {
    season: dict(zip(("weather", "sign", "wear"), (tuple(w.split()) for w in lists), strict=True))
    for season, lists in SEASONS.items()
}

# job: where; what one does there; to what; with what
JOBS = {
    "baker": ("bakery", "bake", "loaves buns pies", "oven whisk sieve"),
    "weaver": ("loft", "weave", "blankets rugs ribbons", "loom spindle bobbin"),
    "potter": ("pottery", "shape", "bowls jugs mugs", "kiln wheel sponge"),
    "gardener": ("greenhouse", "grow", "roses pumpkins cucumbers", "spade rake trowel"),
    "fisher": ("harbour", "catch", "crabs herrings eels", "net rod dinghy"),
    "clockmaker": ("tower", "wind", "clocks watches chimes", "spring cog pendulum"),
    "carpenter": ("workshop", "build", "tables chairs shelves", "hammer saw plane"),
    "beekeeper": ("orchard", "tend", "hives swarms honeycombs", "veil smoker gauntlet"),
    "blacksmith": ("forge", "forge", "horseshoes gates hinges", "anvil poker furnace"),
    "painter": ("studio", "paint", "portraits landscapes murals", "easel palette brush"),
    "tailor": ("parlour", "sew", "coats shirts trousers", "needle thimble pincushion"),
    "librarian": ("library", "lend", "atlases novels diaries", "ladder stamp catalogue"),
    "farmer": ("barn", "harvest", "turnips carrots potatoes", "plough pitchfork cart"),
    "teacher": ("school", "teach", "sums rhymes riddles", "globe blackboard abacus"),
    "fiddler": ("bandstand", "play", "waltzes jigs lullabies", "fiddle bow metronome"),
    "cobbler": ("cellar", "stitch", "boots slippers sandals", "awl shoehorn bootjack"),
    "cheesemaker": ("dairy", "press", "cheeses curds butters", "churn ladle strainer"),
    "astronomer": ("observatory", "study", "comets planets moons", "telescope chart sextant"),
    "miller": ("mill", "grind", "oats grains spices", "millstone sack hopper"),
    "bookbinder": ("attic", "bind", "albums ledgers notebooks", "gluepot ruler bodkin"),
    "inventor": ("shed", "invent", "gadgets engines robots", "spanner magnet blueprint"),
    "puppeteer": ("theatre", "carve", "puppets masks marionettes", "chisel stage curtain"),
    "cook": ("kitchen", "cook", "soups stews omelettes", "saucepan apron skillet"),
    "barber": ("salon", "trim", "beards fringes curls", "comb razor mirror"),
}

JOBS = {
    job: {"workplace": where, "make": verb, "product": tuple(to.split()), "tool": tuple(by.split())}
    for job, (where, verb, to, by) in JOBS.items()
}

# animal: its voice; where it sleeps; what it loves to eat
ANIMALS = {
    "cat": ("purr", "armchair", "cream"),
    "dog": ("bark", "kennel", "bones"),
    "goat": ("bleat", "stable", "thistles"),
    "hen": ("cluck", "coop", "corn"),
    "duck": ("quack", "pond", "duckweed"),
    "donkey": ("bray", "paddock", "hay"),
    "rabbit": ("thump", "hutch", "lettuce"),
    "parrot": ("squawk", "birdcage", "peanuts"),
    "pig": ("grunt", "sty", "acorns"),
    "mouse": ("squeak", "matchbox", "crumbs"),
    "owl": ("hoot", "belfry", "moths"),
    "frog": ("croak", "puddle", "flies"),
    "goose": ("honk", "ditch", "barley"),
    "crow": ("caw", "chimney", "cherries"),
    "pony": ("neigh", "hayloft", "oats"),
}

ANIMALS = {
    animal: dict(zip(("voice", "home", "food"), row, strict=True))
    for animal, row in ANIMALS.items()
}

# dish: what goes into it
DISHES = {
    "porridge": "oats milk honey",
    "pie": "apples pastry cinnamon",
    "soup": "leeks potatoes parsley",
    "stew": "carrots onions lentils",
    "salad": "radishes cress cucumber",
    "pudding": "rice suet syrup",
    "jam": "plums sugar lemons",
    "omelette": "eggs chives mushrooms",
    "trifle": "sponge custard raspberries",
    "risotto": "rice saffron peas",
    "gingerbread": "ginger treacle flour",
    "chowder": "mussels sweetcorn cream",
}

DISHES = {dish: tuple(foods.split()) for dish, foods in DISHES.items()}

THINGS = tuple(
    """umbrella lantern kite scarf kettle key bell map drum flute teapot suitcase ring basket
    bicycle hat feather marble whistle mitten purse pencil locket compass""".split()
)
GIFTS = tuple(
    """accordion almanac bracelet cake calendar dictionary envelope hammock jigsaw necklace
    ornament postcard puzzle sketchbook snowglobe trumpet vase violin wreath xylophone""".split()
)

# where a lost thing may turn up
PLACES = """under bridge|behind oven|inside piano|on roof|beneath stairs|beside well|in wheelbarrow
    |between cushions|below pier|behind bookcase|under mattress|inside cupboard|on windowsill
    |among cabbages|in flowerpot|beside letterbox"""
PLACES = tuple(tuple(place.split()) for place in PLACES.split("|"))
OPPOSITES = tuple(
    pair
    for line in """open closed|empty full|hot cold|clean dirty|wet dry|heavy light|old new
        |loud quiet|wide narrow|sweet sour|thick thin|bright dark""".split("|")
    for pair in [tuple(line.split()), tuple(reversed(line.split()))]
)

MOODS = {
    "glad": {
        "feeling": """happy glad merry cheerful content proud hopeful jolly thankful calm playful
            delighted joyful lively peaceful pleased relieved excited carefree brave""",
        "manner": """happily gladly merrily cheerfully contentedly proudly hopefully joyfully calmly
            playfully peacefully bravely thankfully eagerly warmly gracefully""",
        "act": "smile laugh hum whistle dance skip chuckle grin beam giggle sing cheer",
        "verdict": """lovely splendid delicious wonderful charming perfect marvellous excellent
            delightful superb glorious magnificent pleasant fine""",
    },
    "glum": {
        "feeling": """sad gloomy cross worried weary lonely grumpy sulky anxious upset bored nervous
            tearful unhappy restless miserable annoyed ashamed jealous homesick""",
        "manner": """sadly gloomily crossly wearily grumpily sulkily anxiously nervously tearfully
            unhappily restlessly miserably impatiently coldly stiffly glumly""",
        "act": "sigh frown mutter sniff grumble sob shiver groan moan pout whimper complain",
        "verdict": """dreadful awful horrid stale dull dismal disappointing terrible bitter gloomy
            tasteless miserable unpleasant poor""",
    },
}
for _words in MOODS.values():
    _words.update({kind: tuple(words.split()) for kind, words in _words.items()})

# Words that any sentence of the right shape may draw.
LISTS = {
    "creature": """sheep cow swan badger fox squirrel hedgehog beetle snail butterfly pigeon lamb
        kitten puppy duckling calf heron otter""",
    "person": """child neighbour visitor traveller cousin aunt uncle sailor pedlar pupil shepherd
        grandmother musician juggler mayor twin""",
    "object": """barrel bench boat box bucket candle chair clock crate cup lamp ladder letter
        painting parcel pillow plate pot quilt rope shoe spoon stool wagon window book glove
        shelf""",
    "landmark": """barn bridge church cottage fence field fountain garden gate hedge hill inn lake
        lighthouse meadow oak pier river statue stile tower wall well windmill""",
    "look": """ancient bright broken clean crooked dusty enormous faded fragile golden handsome
        heavy little muddy odd old painted pretty round rusty shiny small smooth sturdy tiny wooden
        worn""",
    "nature": """clever curious friendly gentle greedy hungry lazy noisy patient quick quiet shy
        silly sleepy stubborn tame thirsty wise""",
    "pace": "slowly quickly quietly carefully suddenly softly boldly lightly briskly gently",
    "time": "morning afternoon evening night",
    "music": "song tune ballad hymn melody serenade",
    "room": "kitchen attic hallway cellar bedroom pantry",
}
LISTS = {name: tuple(words.split()) for name, words in LISTS.items()}

IRREGULAR_PASTS = """be was|bind bound|blow blew|break broke|bring brought|build built|buy bought
    |catch caught|choose chose|come came|cut cut|dig dug|do did|fall fell|feed fed|feel felt
    |find found|fly flew|get got|give gave|go went|grin grinned|grind ground|grow grew|hang hung
    |have had|hear heard|hide hid|hold held|hum hummed|keep kept|know knew|leave left|lend lent
    |lie lay|light lit|lose lost|make made|nod nodded|pat patted|pay paid|put put|read read
    |ride rode|ring rang|run ran|say said|see saw|sell sold|set set|sew sewed|shake shook
    |shine shone|sing sang|sit sat|skip skipped|sleep slept|sob sobbed|stand stood|stir stirred
    |stop stopped|take took|teach taught|tell told|think thought|trim trimmed|wear wore
    |weave wove|win won|wind wound|wrap wrapped"""
IRREGULAR_PASTS = dict(pair.split() for pair in IRREGULAR_PASTS.split("|"))
IRREGULAR_PLURALS = """mouse mice|goose geese|child children|sheep sheep|calf calves|shelf shelves
    |loaf loaves"""
IRREGULAR_PLURALS = dict(pair.split() for pair in IRREGULAR_PLURALS.split("|"))


def with_s(word):
    """goat -> goats, fox -> foxes, study -> studies: plurals, and verbs with one subject."""
    if word.endswith(("s", "x", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


def plural(noun):
    return IRREGULAR_PLURALS.get(noun) or with_s(noun)


def numbered(noun, number):
    return noun if number == "one" else plural(noun)


def inflect(verb, tense, number="one"):
    """A verb in the present or past, for one subject or for many."""
    many = number != "one"
    if verb == "be" and many:
        return "are" if tense == "present" else "were"
    if tense == "present":
        if many:
            return verb
        return {"be": "is", "have": "has", "do": "does", "go": "goes"}.get(verb) or with_s(verb)
    if verb in IRREGULAR_PASTS:
        return IRREGULAR_PASTS[verb]
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ied"
    return verb + "ed"


def article(word):
    """a or an, by the first letter, which will do for the words here."""
    return "an" if word[0].lower() in "aeiou" else "a"
