"""What can happen in the small world, sentence by sentence.

A plot is a list of steps; each step draws one of the frames below its heading, which `frames.py`
turns into words. The signs in a frame:

    a                 a or an, as the next word wants
    red|blue <look>   a word drawn here and now, from these or from a list of words.LISTS
    $job $B.job       a fact of the story: of the person whom the sentence is about, of the other
    ~walk ~be#n       a verb, in the tense of the story; for as many as the number n says
    *hen *<object>#n  a noun in the plural, or in the number n
    this#n that#n %n  this or these, that or those; a numeral, which makes n known
    any^some          a word that grammar asks for, and one that it forbids
    H: F:             the sentence is about the hero, or the friend; without it about either
    ^                 (after a word, with a name) what a minimal pair tests here: ~be#n^phrase
"""

FRAMES = {
    "opening": """
        H: $name ~be a $job in the village of $village .
        H: in the village of $village there ~live a $job whose name ~be $name .
        H: everyone in $village ~know $name , the $job .
        H: the $job of $village ~be called $name .
        H: this is a tale of $name , who ~be a $job in $village .
        """,
    "season": """
        it ~be $season , and the $weather ~cover the *roof|field|hill|garden|street of $village .
        it ~be $day in $season , and there ~be $weather over the <landmark> .
        the $sign ~come|arrive|appear#many early that year , for it ~be $season .
        $season ~have come to $village , with $weather and $sign .
        on $day the $weather ~be so thick that nobody ~see the <landmark> .
        """,
    "weather again": """
        outside , the $weather ~cover the <landmark> and the $sign .
        it ~be $season , so $A ~wear a $wear against the $weather .
        $A ~look out at the $weather and ~put on a $wear .
        “ it is only $weather , ” ~say $A . “ it is $season after all . ”
        the $sign ~do#many not mind the $weather .
        """,
    "pet": """
        H: $name ~have a $pet_colour $pet called $pet_name .
        H: $his $pet ~be $pet_colour and ~answer to the name of $pet_name .
        H: a $pet_colour $pet ~live with $him , and its name ~be $pet_name .
        H: $name ~share the house with $pet_name , a $pet_colour $pet .
        """,
    "pet again": """
        H: $pet_name the $pet ~$pet_sound <pace> and ~go back to the $pet_home .
        H: $pet_name ~sleep in the $pet_home , as any $pet ~do .
        H: $A ~give $pet_name some $pet_food , because the $pet ~be hungry .
        H: the $pet ~$pet_sound , for $pet_name ~love $pet_food .
        H: “ good $pet , ” ~say $A , and ~pat $pet_name on the $pet_colour back .
        H: all over the $pet_home there ~be#many $pet_colour hairs , but $pet_name ~look innocent .
        H: nobody but $pet_name the $pet ~hear the <music> .
        H: under the table a $pet_colour tail|nose ~move , and $pet_name ~$pet_sound .
        """,
    "friend": """
        F: $B.his best friend ~be $name , a $job with a $colour $thing .
        F: next door ~live $name , a $job , who ~be never without a $colour $thing .
        F: across the street $name the $job ~polish a $colour $thing .
        F: $name , a $job from the other side of the <landmark> , ~come by with a $colour $thing .
        """,
    "treasure": """
        H: $A ~have a $colour $thing , and $he ~love it dearly .
        H: more than anything $name ~treasure $his $colour $thing .
        H: on a hook|nail by the door ~hang|wait the $colour $thing that ~belong to $name .
        H: $his grandmother|grandfather|godmother|uncle once ~give $name a $colour $thing .
        """,
    "treasure again": """
        $A ~hold the $colour $thing up to the light|lamp|sun .
        “ is that your $thing ? ” ~ask $B , and $A ~nod .
        the $colour $thing of $name ~be <look> , but $he ~like it that way .
        $name ~be proud of $his $colour $thing .
        $A ~put the $thing on a <look> chair|shelf|table ; it ~be as $colour as ever .
        “ mine is $colour , ” ~say $name , and ~show $B the $thing .
        """,
    "work": """
        $A ~$make $product in the $workplace every <time> .
        all <time> $name the $job ~$make $product with a $tool .
        the $tool in the $workplace of $name ~be <look> , as the $tool of a $job should be .
        “ a $job without a $tool is no $job , ” ~say $A .
        in the $workplace $A ~reach for the $tool , because there ~be#many $product to $make .
        people ~come#many from far away to the $workplace , for $name ~$make the finest $product .
        $A ~like to $make $product , and $he ~keep the $tool clean .
        a good $job ~$make $product , and $name ~be a good $job .
        day after day $A ~go to the $workplace with $his $tool and ~$make $product .
        anyone who can $make $product ~be welcome in the $workplace of $name .
        """,
    "scene": """
        the *<object>#n near the *<landmark>#m ~be#n^phrase <look> .
        the *<creature>#n behind the *<landmark>#m ~be#n^phrase <nature> .
        the *<creature>#n by the *<landmark>#m ~look#n^phrase <nature> .
        the *<person>#n with the *<object>#m ~seem#n^phrase <nature> .
        the *<creature>#n that the *<person>#m ~feed#m^adjacent ~be#n^clause <nature> .
        the *<object>#n that the *<person>#m ~want#m^adjacent ~be#n^clause <look> .
        the *<person>#n who ~know#n^adjacent the *<person>#m ~come#n^clause from $village .
        the *<creature>#n that ~follow#n^adjacent the *<person>#m ~be#n^clause <nature> .
        this#n <look> *<object>#n^determiner ~belong#n to $name .
        that#n *<creature>#n^determiner over there ~be#n <nature> .
        $A ~look at this#n *<object>#n^determiner and ~nod|blink|think|wonder .
        on the <landmark> ~sit|wait|rest#n %n <nature> *<creature>#n^numeral .
        $A ~see %n *<creature>#n^numeral beside the <landmark> .
        neither^both the <creature> nor^and the <person> ~be afraid of the $weather .
        both^neither the <object> and^nor the <creature> ~be#many <look> .
        """,
    "count": """
        there ~be#many $count *<object> on the table , and $A ~count them : $count .
        “ $count , ” ~say $A , and indeed there ~be#many $count *<creature> in the <landmark> .
        $A ~buy $count *<object> for the <room> , and all $count ~be#many <look> .
        a <person> ~knock $count times , and the dog|clock|echo ~answer $count times .
        """,
    "food": """
        for supper there ~be $dish , made of $food1 and $food2 .
        $A ~carry a bowl|basket of $food1 to the <room> , for $dish ~need $food1 .
        “ no $dish without $food1 , ” ~say $A , “ and I have some^any $food1 . ”
        the $dish ~smell of $food2 , and $B ~ask for more .
        $B ~be fond of $dish , so $A ~go out to find $food2 .
        $A ~stir the $dish , ~taste the $food1 and ~call it $verdict .
        nobody ~find any^no $food2 for the $dish .
        """,
    "mood": """
        $A ~be $feeling , and so ~be $B .
        $A ~$act because $he ~feel $feeling .
        that <time> $name ~be very $feeling indeed .
        “ why do you $act ? ” ~ask $B , and $A ~answer $manner .
        $A ~walk|go|come home $manner , and $his face ~be $feeling .
        $A ~be not at all $unfeeling ; $he ~be $feeling .
        nobody ~be as $feeling as $name that day .
        $A and $B ~sit#many by the <landmark> and ~$act#many $manner .
        the <time> ~be $verdict , and $B ~$act .
        “ what a $verdict <time> ! ” ~say $A $manner .
        “ I am $feeling , ” ~say $A $manner , “ for this is a $verdict <object> . ”
        $A ~$act all <time> , for the <music> ~be $verdict .
        """,
    "opposite": """
        the <object> ~be not $this but $that .
        the <object> ~be $this , but the <object> ~be $that .
        “ is the <object> $this ? ” ~ask $A . “ no , it is $that . ”
        $A ~want a $this <object> , but this one ~be $that .
        yesterday the <object> was $that , and today it is $this .
        """,
    "compare": """
        $A ~be $elder than $B , and that ~make $B the $B.elder one .
        “ I am $elder than you , ” ~say $A , for $B ~be the $B.elder of the two .
        $B ~be $B.elder , so $A ~be the $elder one of the two friends .
        """,
    "compare again": """
        the $elder one , $name , ~tell the $B.elder one , $B.name , a tale of the <landmark> .
        “ let the $elder one go first , ” ~say $B , and so $A ~go first .
        """,
    "mirror": """
        $A ~look at $himself in the window|mirror|water .
        $A ~talk|mutter|sing to $himself in the <room> .
        $A ~cut $himself a slice|piece of bread|cake .
        “ well , well , ” ~say $A to $himself .
        """,
    "talk": """
        “ where do you live ? ” ~ask a <person> . “ in $village , ” ~say $A .
        “ what is your job ? ” ~ask a <person> . “ I am a $job , ” ~say $A .
        “ who is $B ? ” ~ask a <person> . “ a $B.job and a friend , ” ~say $A .
        “ what does $B $B.make ? ” ~ask a <person> . “ $B.product , ” ~say $A .
        “ what do you $make in the $workplace ? ” ~ask $B . “ $product , ” ~say $A .
        “ what do you work with ? ” ~ask a <person> . “ with a $tool , ” ~say $A .
        “ which day is it ? ” ~ask $B . “ it is $day , ” ~say $A , “ and $tomorrow comes next . ”
        “ what do you need for $dish ? ” ~ask $B . “ $food1 and $food2 , ” ~say $A .
        “ whose is the $colour $thing ? ” ~ask a <person> . “ it is mine , ” ~say $A .
        “ what colour is your $thing ? ” ~ask a <person> . “ $colour , ” ~say $name .
        “ who is $elder , you or $B ? ” ~ask a <person> . “ I am , ” ~say $A .
        H: “ what colour is $pet_name ? ” ~ask a <person> . “ $pet_colour , ” ~say $A .
        H: “ what is the name of your $pet ? ” ~ask a <person> . “ $pet_name , ” ~say $A .
        H: “ what does a $pet eat ? ” ~ask a <person> . “ $pet_food , ” ~say $A .
        H: “ where does $pet_name sleep ? ” ~ask a <person> . “ in the $pet_home , ” ~say $A .
        """,
    "village": """
        all of $village ~be on its feet that <time> .
        the bells of $village ~ring#many , and $A ~stop to listen .
        there ~be no better place for a $job than $village .
        “ $village is small , but it is ours , ” ~say $A .
        from the <landmark> one ~see all the roofs of $village .
        """,
    "lost": """
        H: but on $day the $colour $thing ~be gone .
        H: on $day $A ~find the hook empty : where ~be the $colour $thing ?
        H: then , on $day , $name ~lose the $colour $thing .
        """,
    "search": """
        H: $A ~search the $workplace , ~look under the $tool and behind the <object> : no $thing .
        H: “ have you seen my $thing ? ” ~ask $A . “ it is $colour . ”
        F: $name ~put down the $tool and ~help $B to look for the $B.colour $B.thing .
        F: “ where did you last see the $B.thing ? ” ~ask $name .
        H: even $pet_name the $pet ~look for it , and ~$pet_sound at every <object> .
        H: $A ~ask a <person> , two *<person> and a <creature> , but nobody ~know anything^nothing .
        """,
    "found": """
        H: and there it ~be : the $colour $thing ~lie $where the $spot !
        F: it ~be $name who ~find the $B.thing of $B , $where the $spot .
        H: $pet_name the $pet ~$pet_sound and ~dig , and $where the $spot ~lie the $colour $thing .
        """,
    "found again": """
        H: “ who would look $where the $spot ? ” ~ask $A , and ~hold the $colour $thing tight .
        H: since then the $thing ~have a string on it , and nobody ~put it $where the $spot again .
        F: “ always look $where the $spot first , ” ~say $name .
        """,
    "storm comes": """
        on $day a storm ~come over the <landmark> , and the $weather ~grow thick .
        on $day the sky over $village ~grow black , and the $weather ~turn into a storm .
        """,
    "storm ends": """
        when $tomorrow ~come , the storm ~be gone and the <landmark> ~be still there .
        by $tomorrow the storm ~be gone , and $A ~count the *roof of $village .
        """,
    "storm": """
        the wind ~take the hat of a <person> , the sign of the $workplace and $count *<object> .
        $A ~hold on to $his $tool and ~shout to $B .
        the $pet_home ~shake , and $pet_name ~$pet_sound at the $weather .
        F: $name ~run over with a $colour $thing to help , for storms ~be#many bad for $B.product .
        """,
    "gift plan": """
        F: $tomorrow ~be the birthday of $B , and $name ~think of a $gift .
        F: “ what do you give a $B.job ? ” ~ask $name , and ~choose a $gift .
        F: on $day $name ~save $count coins for a $gift , because $tomorrow ~be a birthday .
        """,
    "gift work": """
        F: $name ~wrap the $gift in $colour paper and ~hide it $where the $spot .
        F: the $gift ~wait $where the $spot , and $name ~tell nobody .
        F: $pet_name the $pet ~find the $gift $where the $spot , but pets ~do#many not tell .
        """,
    "gift brought": """
        F: on $tomorrow the $gift ~be still $where the $spot , and $name ~bring it out .
        F: at last it ~be $tomorrow , and $name ~find the $gift again , $where the $spot .
        """,
    "gift given": """
        H: “ a $gift ! ” ~say $name , “ just what a $job needs . ”
        H: and $A ~put the $gift beside $his $tool , where it ~look $verdict .
        H: $name ~open the $B.colour paper , ~see the $gift and ~$act .
        """,
    "market": """
        on $day there ~be a market in $village , and $A ~sell $product .
        $A ~carry $count *<object> and a $tool to the market of $village .
        """,
    "at the market": """
        “ $product ! fresh|new|fine $product from the $workplace ! ” ~call $name the $job .
        $B ~buy $product from $name and ~pay with $B.product .
        a <person> ~want a <object> , a <object> and some^any $product .
        not one of the *<person> ~want to go home before $tomorrow .
        """,
    "race": """
        on $day $A and $B ~run#many a race from the <landmark> to the <landmark> .
        “ who is first at the <landmark> ? ” ~call $A on $day , and $A and $B ~run#many .
        """,
    "racers": """
        “ I am $faster than you , ” ~say $A , and $B ~laugh , being $B.faster .
        """,
    "race end": """
        it ~be $winner who ~win the race , by the length of a $pet .
        $winner , the faster of the two , ~get the prize , which ~be a $gift .
        """,
    "race after": """
        H: everyone ~cheer for $winner , even $pet_name the $pet .
        the prize of $winner , a $gift , ~stand $where the $spot to this day .
        on $tomorrow $winner ~be still out of breath .
        """,
    "lesson": """
        H: $A ~show $B how to $make $product with a $tool .
        H: “ watch me , ” ~say $name the $job , and ~$make $product while $B ~look on .
        """,
    "learning": """
        H: “ a $B.job can learn to $make $product , ” ~say $name the $job .
        H: $B ~hold the $tool upside down , and $A ~$act .
        H: by <time> $B ~$make $count $product , each one <look> .
        H: in return $B ~teach $name to $B.make $B.product .
        H: “ it is harder than $B.product , ” ~say $B , who ~be only a $B.job .
        """,
    "leaving": """
        on $day $A and $B ~leave#many $village by the road to $village2 .
        early on $day $A ~pack $his $thing and ~set out with $B for $village2 .
        “ let us go to $village2 , ” ~say $A , and on $day $A and $B ~leave#many $village .
        """,
    "coming home": """
        on $tomorrow they ~be#many back in $village , with dust of $village2 on their shoes .
        on $tomorrow $A ~see the roofs of $village again and ~$act .
        """,
    "on the way": """
        they ~pass#many a <landmark> , two *<landmark> and %n <nature> *<creature>#n^numeral .
        the road to $village2 ~be <look> , and $B ~carry the $colour $thing .
        in $village2 a <person> ~ask for $product , and $A ~have some^any .
        H: $pet_name the $pet ~ride in the <object> all the way to $village2 and ~$pet_sound .
        """,
    "something breaks": """
        H: on $day the $tool of $name ~break , and without it no $job can $make $product .
        H: crack ! on $day the $tool of $name ~fall down , and nobody ~$make $product .
        """,
    "as good as new": """
        H: on $tomorrow the $tool ~be as good as new , and $A ~$make $product again .
        H: on $tomorrow $name ~hold the $tool up , and it ~be whole again .
        """,
    "mending": """
        H: $B ~know nothing about a $tool , but $B ~be good with a $B.tool .
        H: $A ~hold the $tool , $B ~hold the $B.tool , and together they ~think#many .
        H: with glue from $village and a <object> they ~mend#many the $tool .
        """,
    "night": """
        on the night of $day $A ~do not sleep , and the $pet ~be awake too .
        it ~be the night of $day , and $A ~lie awake and ~listen to the <object> .
        """,
    "in the night": """
        the moon ~shine on the <landmark> , and something ~$pet_sound .
        “ is that you , $pet_name ? ” ~ask $A in the dark|doorway .
        $A ~light a candle and ~read about *<creature> until $tomorrow .
        H: it ~be only $pet_name , the $pet_colour $pet , on the way to the $pet_food .
        """,
    "a guest": """
        H: on $day a <person> from $village2 ~knock at the door of the $workplace .
        H: on $day $A ~find a <person> from $village2 in front of the $workplace .
        """,
    "the guest goes": """
        H: on $tomorrow the guest ~go home to $village2 with $count $product .
        H: on $tomorrow $A ~wave until the guest from $village2 ~be out of sight .
        """,
    "with the guest": """
        H: the <person> from $village2 ~have never seen $product before .
        H: $A ~offer the guest some^any $dish and a chair near the $tool .
        H: “ in $village2 we have no $job , ” ~say the guest .
        """,
    "closing": """
        and that ~be how $day ~end in $village .
        $A ~blow out the candle , ~say good night to $B and ~go to bed .
        H: $pet_name ~lie in the $pet_home , and $A ~dream of $product .
        “ until $tomorrow , ” ~say $B , and ~wave $B.his $B.thing .
        H: and if $pet_name the $pet could talk , there would be more to tell .
        at last $A ~sit down beside $his $tool , $feeling , and ~listen to the $weather .
        """,
}

# Of "a|b" one is drawn; "a+" may come twice, "a?" not at all.
PLOTS = {
    "lost and found": """opening, season?, pet|treasure, treasure, friend, work?, lost, search+,
        talk?, scene?, mood?, search, found, found again, mood, closing""",
    "storm": """opening, pet, season, friend, work, scene, storm comes, storm, talk, food?, storm,
        mood, opposite?, weather again, storm ends, treasure again, pet again, closing""",
    "birthday": """opening, pet, friend, work, season?, gift plan, gift work, food, talk?, scene?,
        mood, gift brought, gift given, mood, compare?, closing""",
    "market": """opening, friend, treasure?, season, market+, count, food, scene, talk+,
        at the market, mood, village, at the market, opposite?, work, closing""",
    "race": """opening, pet, friend, compare?, race, racers, mirror?, talk?, scene, race end,
        race after+, mood, compare again?, food, closing""",
    "lesson": """opening, friend, work, lesson, learning+, scene?, talk?, count?, mood, mirror?,
        learning, treasure again, food?, closing""",
    "journey": """opening, friend, pet, treasure, leaving, on the way, talk?, scene, on the way,
        weather again?, mood, food?, coming home, treasure again, closing""",
    "repair": """opening, friend, season?, work, something breaks, mending, opposite?, talk?,
        scene?, mending, mood, as good as new, treasure again, food?, closing""",
    "night": """opening, friend, pet, season?, work, night, in the night, pet again, scene, talk,
        mood, in the night, mirror?, pet again, weather again, closing""",
    "guest": """opening, friend, treasure, work, a guest, with the guest, food, talk+, scene?,
        with the guest, compare?, mood, the guest goes, treasure again, closing""",
    "quiet day": """opening, friend, pet|treasure, season, work, talk+, scene+, count?, opposite?,
        compare, compare again, mood, pet again, treasure again?, village, weather again,
        closing""",
}
