# Reads layers.rules and then facts, and tells of each fact that no rule allows:
#   file FILE, and include|define|call|state FILE NAME

function subject_of(file) {
  sub(/^src\//, "", file)
  sub(/\.[a-z]+$/, "", file)
  return file
}

function layer_of(subject) { return substr(subject, 1, index(subject, "/") - 1) }

function add(verb, subject, name,  count, members, i) {
  if (name !~ /^@/) {
    allowed[verb, subject] = allowed[verb, subject] " " name
    return
  }
  if (!(name in sets)) { tell(FILENAME ":" FNR ": no set " name); return }
  count = split(sets[name], members, " ")
  for (i = 1; i <= count; i++) add(verb, subject, members[i])
}

function matches(name, pattern) {
  if (pattern ~ /\*$/) return index(name, substr(pattern, 1, length(pattern) - 1)) == 1
  return name == pattern
}

function is_listed(verb, subject, name,  count, patterns, i) {
  count = split(allowed[verb, subject], patterns, " ")
  for (i = 1; i <= count; i++) if (matches(name, patterns[i])) return 1
  return 0
}

function is_allowed(verb, subject, name) {
  return is_listed(verb, subject, name) || is_listed(verb, layer_of(subject), name) || is_listed(verb, "all", name)
}

# A file of io that includes another is in the rules below it, and reaches what that reaches.
function add_below(subject, header,  other, pair, parts) {
  other = subject_of(header)
  if (layer_of(other) != layer_of(subject)) return
  if (!(other in has_place)) tell(FILENAME ":" FNR ": " subject " stands above " other ", which it may include")
  reaches[subject, other] = 1
  for (pair in reaches) {
    split(pair, parts, SUBSEP)
    if (parts[1] == other) reaches[subject, parts[2]] = 1
  }
}

function may_call_ours(subject, definer) {
  if (subject == definer || (subject, definer) in reaches) return 1
  if (layer_of(subject) == "io" && layer_of(definer) == "io") return 0
  return is_allowed("include", subject, definer ".h")
}

function rules_for(verb, subject) {
  return "the rules of " layer_of(subject) (((verb, subject) in where) ? " (and of " subject ", " where[verb, subject] ")" : "") \
    ", " (((verb, layer_of(subject)) in where) ? where[verb, layer_of(subject)] : rules_file)
}

function tell(text) { print "layers: " text | "cat >&2"; status = 1 }

function refuse(file, does, name, verb) { tell(file " " does " " name ": not in " rules_for(verb, subject_of(file))) }

# glibc's names for what a program calls otherwise.
function plain(symbol) {
  if (symbol == "__errno_location") return "errno"
  sub(/^__isoc[0-9]+_/, "", symbol)
  return symbol
}

/^#/ || NF == 0 { next }

FILENAME == ARGV[1] {
  rules_file = FILENAME
  if ($1 == "set") {
    name = "@" $2; $1 = $2 = ""; sets[name] = $0
    next
  }
  if ($1 == "state") { for (i = 2; i <= NF; i++) has_state[$i] = 1; next }
  where[$1, $2] = FILENAME ":" FNR
  for (i = 3; i <= NF; i++) {
    add($1, $2, $i)
    if ($1 == "include" && $2 ~ /^io\//) add_below($2, $i)
  }
  if ($1 == "include") has_place[$2] = 1
  next
}

$1 == "file" {
  subject = subject_of($2)
  is_there[subject] = 1
  if (layer_of(subject) == "io" && !(subject in has_place)) tell($2 " has no place in the order of io: no include rule in " rules_file)
}

$1 == "include" {
  subject = subject_of($2)
  if ($3 != subject ".h" && !is_allowed("include", subject, $3)) refuse($2, "includes", $3, "include")
}

$1 == "define" { definer[$3] = subject_of($2) }

$1 == "call" { calls[++call_count] = $2 " " $3 }

$1 == "state" && !(subject_of($2) in has_state) { tell($2 " has the writable global " $3 ": not in the state rules of " rules_file) }

END {
  for (i = 1; i <= call_count; i++) {
    split(calls[i], call, " ")
    subject = subject_of(call[1])
    if (call[2] in definer) {
      if (!may_call_ours(subject, definer[call[2]]))
        refuse(call[1], "calls", call[2] " of " definer[call[2]], "include")
    } else if (call[2] !~ /^cly/ && !is_allowed("call", subject, plain(call[2]))) { # cly: it did not compile
      refuse(call[1], "calls", plain(call[2]), "call")
    }
  }
  for (subject in has_place) if (subject ~ /\// && !(subject in is_there)) tell(rules_file ": there is no src/" subject)
  if (call_count == 0) tell("no object says what it calls")
  exit status
}
