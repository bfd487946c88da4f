"""Words that every complaint has, in the languages that most of them are written in."""

NEGATIONS = frozenset(["no", "not", "never", "kein", "keine", "keinen", "nicht", "pas", "sin"])
"""Alone they say nothing, before another word much: 'no refund'."""

_ENGLISH = """
a about after again all also already although always am an and another any anyone anything are
aren't around as ask asked at away back be became because been before being both but by came can
can't cannot come comes could couldn't day days did didn't do does doesn't doing don't done down
each either else enough even ever every everyone everything far few first for from get gets getting
give given go goes going gone gonna good got had has hasn't have haven't having he hello her here
hers hey hi him his how i i'd i'll i'm i've if im in instead into is isn't it it'd it'll it's its
itself ive just keep keeps know last least less let like lol look lot made make makes making many
may maybe me mean might mine more most much must my myself need needs next no nobody none not
nothing now of off oh ok okay on once one only onto or other our ours out over own people per please
pls put quite rather really right said same say saying says see seem seems she should shouldn't
since so some someone something soon still stop such sure take taken takes tell than thank thanks
that that's thats the their theirs them then there there's these they they'd they'll they're thing
things think this those though through time times to today together told tomorrow tonight too took
tried try trying two until up upon us use used very via want wanted wants was wasn't way we we'd
we'll we're we've week weeks well went were weren't what what's when where whether which while who
whole whom whose why will with within without won't work would wouldn't yes yesterday yet you you'd
you'll you're you've your yours yourself dont cant wont didnt doesnt
"""
_GERMAN = """
aber alle allem allen aller alles als also am an andere anderen auch auf aus bei beim bereits bin
bis bisher bitte da dabei dafür damit dann das dass dein dem den denn der des deshalb dich die dies
diese diesem diesen dieser dieses dir doch dort du durch ein eine einem einen einer eines einfach er
es etwas euch euer eure für ganz gar geht gerade gestern gibt hab habe haben hat hatte hatten heute
hier hin ich ihm ihn ihnen ihr ihre ihren im immer in ist ja jede jeden jeder jetzt kann kein keine
keinen könnt kommt leider man mehr mein meine meinem meinen meiner mich mir mit mal muss nach nicht
nichts noch nun nur ob oder ohne schon sehr seid sein seine seit selbst sich sie sind so soll sonst
über um und uns unser unsere unter vom von vor war waren warum was wegen weil wenn wer werde werden
wie wieder will wir wird wo worden wurde wurden zu zum zur
"""
_FRENCH = """
à ai alors au aucun aussi autre aux avec avez avoir avons bien bonjour c'est ça car ce ceci cela
ces cet cette chez comme comment dans de depuis des donc du elle elles en encore entre es est et
été être eux fait faire fois il ils j'ai je jour jours la là le les leur leurs lui ma mais me même
merci mes moi mon n'est ne nos notre nous on ont ou où par pas peut plus pour pourquoi qu'il quand
que quel quelle qui quoi rien sa sans se sera ses si son sont suis sur ta te tes toi ton tous tout
toute toutes très tu un une vos votre vous y
"""
_SPANISH = """
al algo antes así aún como con cuando cuándo de del desde donde dos el él ella ellos en entre era
es esa ese eso esta está están estas este esto estos fue gracias ha han hasta hay hola hoy la las
le les lo los más me mi mis mucho muy nada ni no nos o os para pero por porque pues que qué quien
se ser si sí sido sin sobre solo son su sus también te tengo tiene todo todos tu un una uno unos
usted ustedes ya yo
"""

STOP = frozenset(" ".join([_ENGLISH, _GERMAN, _FRENCH, _SPANISH]).split()) | NEGATIONS
