"""The patterns that grok knows by name, each in RE2's syntax.

Where two repetitions stand beside each other they match different characters, and what has a known
length is bounded, so that a search stays fast (`gxo.runtime.regex.cost`).
"""

_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_H16 = r"[0-9A-Fa-f]{1,4}"

PATTERNS = {
    # Texts
    "WORD": r"\b\w+\b",
    "NOTSPACE": r"\S+",
    "SPACE": r"\s*",
    "DATA": r".*?",
    "GREEDYDATA": r".*",
    "QUOTEDSTRING": r'(?:"(?:[^"\\]|\\.)*"|' + r"'(?:[^'\\]|\\.)*')",
    "QS": "%{QUOTEDSTRING}",
    "UUID": r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}",
    "USERNAME": r"[A-Za-z0-9._-]+",
    "USER": "%{USERNAME}",
    "EMAILLOCALPART": r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*",
    "EMAILADDRESS": "%{EMAILLOCALPART}@%{HOSTNAME}",
    # Numbers
    "INT": r"[+-]?[0-9]+",
    "POSINT": r"\b[1-9][0-9]*\b",
    "NONNEGINT": r"\b[0-9]+\b",
    "BASE10NUM": r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)",
    "NUMBER": "%{BASE10NUM}",
    "BASE16NUM": r"[+-]?(?:0x)?[0-9A-Fa-f]+",
    "BASE16FLOAT": r"[+-]?(?:0x)?(?:[0-9A-Fa-f]+(?:\.[0-9A-Fa-f]*)?|\.[0-9A-Fa-f]+)",
    # Networks
    "MAC": r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}",
    "IPV4": rf"(?:{_BYTE}\.){{3}}{_BYTE}",
    "IPV6": (
        rf"(?:(?:{_H16}:){{7}}{_H16}"
        rf"|(?:{_H16}:){{1,7}}:"
        rf"|(?:{_H16}:){{6}}%{{IPV4}}"
        rf"|::(?:[fF]{{4}}:)?%{{IPV4}}"
        rf"|(?:{_H16}:){{1,6}}(?::{_H16}){{1}}"
        rf"|(?:{_H16}:){{1,5}}(?::{_H16}){{2}}"
        rf"|(?:{_H16}:){{1,4}}(?::{_H16}){{3}}"
        rf"|(?:{_H16}:){{1,3}}(?::{_H16}){{4}}"
        rf"|(?:{_H16}:){{1,2}}(?::{_H16}){{5}}"
        rf"|{_H16}:(?::{_H16}){{6}}"
        rf"|:(?::{_H16}){{1,7}}|::)(?:%[0-9A-Za-z]+)?"
    ),
    "IP": "(?:%{IPV6}|%{IPV4})",
    "HOSTNAME": (
        r"\b[0-9A-Za-z](?:[0-9A-Za-z_-]{0,62})(?:\.[0-9A-Za-z][0-9A-Za-z_-]{0,62})*(?:\.|\b)"
    ),
    "IPORHOST": "(?:%{IP}|%{HOSTNAME})",
    "HOSTPORT": "%{IPORHOST}:%{POSINT}",
    # Paths and addresses
    "UNIXPATH": r"(?:/[^\s/]*)+",
    "WINPATH": r"(?:[A-Za-z]:|\\)(?:\\[^\\?*\n]*)+",
    "PATH": "(?:%{UNIXPATH}|%{WINPATH})",
    "TTY": r"/dev/(?:pts/[0-9]+|tty[0-9A-Za-z]*)",
    "URIPROTO": r"[A-Za-z][A-Za-z0-9+.-]*",
    "URIHOST": "%{IPORHOST}(?::%{POSINT})?",
    "URIPATH": r"(?:/[A-Za-z0-9$.+!*'(){},~:;=@#%&_-]*)+",
    "URIPARAM": r"\?[A-Za-z0-9$.+!*'|(){},~@#%&/=:;_?\[\]<>-]*",
    "URIPATHPARAM": "%{URIPATH}(?:%{URIPARAM})?",
    "URI": r"%{URIPROTO}://(?:[^\s/@]+@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?",
    # Dates
    "MONTH": (
        r"\b(?:[Jj]an(?:uary)?|[Ff]eb(?:ruary)?|[Mm]ar(?:ch)?|[Aa]pr(?:il)?|[Mm]ay|[Jj]une?|[Jj]uly?"
        r"|[Aa]ug(?:ust)?|[Ss]ep(?:tember)?|[Oo]ct(?:ober)?|[Nn]ov(?:ember)?|[Dd]ec(?:ember)?)\b"
    ),
    "MONTHNUM": r"(?:0?[1-9]|1[0-2])",
    "MONTHDAY": r"(?:3[01]|[12][0-9]|0?[1-9])",
    "DAY": (
        r"(?:Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?"
        r"|Sun(?:day)?)"
    ),
    "YEAR": r"[0-9]{4}|[0-9]{2}",
    "HOUR": r"(?:2[0-3]|[01]?[0-9])",
    "MINUTE": r"[0-5][0-9]",
    "SECOND": r"(?:60|[0-5]?[0-9])(?:[:.,][0-9]+)?",
    "TIME": "%{HOUR}:%{MINUTE}(?::%{SECOND})?",
    "DATE_US": "%{MONTHNUM}[/-]%{MONTHDAY}[/-](?:%{YEAR})",
    "DATE_EU": "%{MONTHDAY}[./-]%{MONTHNUM}[./-](?:%{YEAR})",
    "DATE": "(?:%{DATE_US}|%{DATE_EU})",
    "ISO8601_TIMEZONE": "(?:Z|[+-]%{HOUR}(?::?%{MINUTE})?)",
    "TIMESTAMP_ISO8601": (
        "(?:%{YEAR})-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?"
        "%{ISO8601_TIMEZONE}?"
    ),
    "TZ": r"(?:[APMCE][SD]T|UTC|GMT)",
    "DATESTAMP": "%{DATE}[- ]%{TIME}",
    "DATESTAMP_RFC822": "%{DAY} %{MONTH} %{MONTHDAY} (?:%{YEAR}) %{TIME} %{TZ}",
    "DATESTAMP_RFC2822": "%{DAY}, %{MONTHDAY} %{MONTH} (?:%{YEAR}) %{TIME} %{ISO8601_TIMEZONE}",
    "HTTPDATE": "%{MONTHDAY}/%{MONTH}/(?:%{YEAR}):%{TIME} %{INT}",
    "SYSLOGTIMESTAMP": "%{MONTH} +%{MONTHDAY} %{TIME}",
    # Logs
    "LOGLEVEL": (
        r"(?i:trace|debug|info(?:rmation)?|notice|warn(?:ing)?|err(?:or)?|crit(?:ical)?|alert|fatal"
        r"|severe|emerg(?:ency)?|panic)"
    ),
    "PROG": r"[!-Z\\^-~]+",
    "SYSLOGPROG": r"%{PROG:program}(?:\[%{POSINT:pid:int}\])?",
    "SYSLOGHOST": "%{IPORHOST}",
    "SYSLOGBASE": "%{SYSLOGTIMESTAMP:timestamp} %{SYSLOGHOST:host} %{SYSLOGPROG}:",
    "SYSLOGLINE": "%{SYSLOGBASE} %{GREEDYDATA:message}",
    "COMMONAPACHELOG": (
        r"%{IPORHOST:clientip} %{NOTSPACE:ident} %{NOTSPACE:auth} \[%{HTTPDATE:timestamp}\] "
        r'"(?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})'
        r'" '
        r"%{INT:response:int} (?:%{INT:bytes:int}|-)"
    ),
    "COMBINEDAPACHELOG": "%{COMMONAPACHELOG} %{QS:referrer} %{QS:agent}",
}
