"""The grammar of the query language, for lark, and what its terminals are called in messages."""

GRAMMAR = r"""
start: any? clause*
?any: all (_OR all)*
?all: term (_AND term)*
?term: _NOT term -> negation
     | "(" any ")"
     | column OPERATOR value -> comparison
     | column IN "(" value ("," value)* ")" -> comparison
     | column IN value RANGE value -> range
     | (HAS | MISSING) column_name -> presence
clause: SINCE moment -> bound
      | UNTIL moment -> bound
      | BALANCE BY column_name -> balance
      | SAMPLE NUMBER -> sample
column: NAME | QUOTED_NAME
column_name: NAME | QUOTED_NAME
value: TEXT | NUMBER | TRUTH | DAY | NUMBER UNIT AGO
moment: TEXT | DAY | NUMBER UNIT AGO

OPERATOR: "!=" | "<=" | ">=" | "=" | "<" | ">" | "~"
RANGE: ".."
_OR.2: /or(?![\w.])/i
_AND.2: /and(?![\w.])/i
_NOT.2: /not(?![\w.])/i
IN.2: /in(?![\w.])/i
HAS.2: /has(?![\w.])/i
MISSING.2: /missing(?![\w.])/i
SINCE.2: /since(?![\w.])/i
UNTIL.2: /until(?![\w.])/i
BALANCE.2: /balance(?![\w.])/i
BY.2: /by(?![\w.])/i
SAMPLE.2: /sample(?![\w.])/i
TRUTH.2: /(true|false)(?![\w.])/i
DAY.2: /(now|today|yesterday)(?!\w|\.(?!\.))/i
UNIT.2: /(minute|hour|day|week)s?(?![\w.])/i
AGO.2: /ago(?!\w|\.(?!\.))/i
NUMBER: /[+-]?([0-9]+(\.(?!\.)[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]+)?(?!\w|\.(?!\.))/i
NAME: /[^\W\d][\w.]*/
QUOTED_NAME: /`([^`]|``)+`/
TEXT: /"([^"]|"")*"|'([^']|'')*'/

%ignore /\s+/
"""

WORDS = {
    "NAME": "a column",
    "QUOTED_NAME": "a column in `backticks`",
    "TEXT": "a text in quotes",
    "NUMBER": "a number",
    "TRUTH": "true or false",
    "DAY": "now, today or yesterday",
    "UNIT": "'minutes', 'hours', 'days' or 'weeks'",
    "AGO": "'ago'",
    "OPERATOR": "one of = != < <= > >= ~",
    "IN": "'in'",
    "RANGE": "'..'",
    "HAS": "'has'",
    "MISSING": "'missing'",
    "_AND": "'and'",
    "_OR": "'or'",
    "_NOT": "'not'",
    "LPAR": "'('",
    "RPAR": "')'",
    "COMMA": "','",
    "SINCE": "'since'",
    "UNTIL": "'until'",
    "BALANCE": "'balance by'",
    "BY": "'by'",
    "SAMPLE": "'sample'",
    "$END": "or the end",
}
