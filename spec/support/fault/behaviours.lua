--- behaviours.lua - the table of all faults that the server can produce.
---
--- A behaviour is { run = function(exchange), stage, only, waits, ... }:
---   stage    when to act: "head" after the request's head, "half" after half of its body,
---            "body" (the default) after the whole request, or a function(exchange) that
---            returns one of these
---   only     "http1" or "http2" if it makes no sense in the other protocol
---   waits    true if a client without a timeout would wait long
---   lies     true if the reply to the next request may be a wrong one and the client cannot
---            tell; never drawn at random
---   refuses  true if the reply proves that nothing was accepted, so that a client may send
---            the same request again
---   stalls   the maximum of seconds between the head and the rest of the request (HTTP/1.1)
---   resets   true if it ends the stream with an error code instead of a reply
--- A behaviour of a connection is { run = function(peer), stage, only } and must be armed. Its
--- stage is "accept", "handshake" (after TLS) or, in HTTP/2, "preface". At stage "preface", run
--- gets the connection instead of the peer; see http2_connections.lua.

local cjson = require "cjson.safe"
local cqueues = require "cqueues"
local http2_behaviours = require "spec.support.fault.http2_behaviours"
local connection_families = require "spec.support.fault.http2_connections"
local replies = require "spec.support.fault.replies"

local behaviours = {}

-- Requests, by name.
local requests = {}

-- Families with a number in the name: prefix -> function(number) -> behaviour.
local families = {}

-- Connections, by name.
local connections = {}

local function answer(make)
  return { run = function(exchange) exchange:reply(make(exchange)) end }
end

local function refuse(make)
  local behaviour = answer(make)
  behaviour.refuses = true
  return behaviour
end

-- Endings -------------------------------------------------------------------------

-- close: FIN, after a good-bye in TLS; cut: FIN and no good-bye; reset: RST; silence:
-- the connection stays, and nothing comes.
local ENDINGS = { "close", "cut", "reset", "silence" }

local REQUEST_POINTS = { ["after-head"] = "head", ["after-half-body"] = "half", ["after-request"] = "body" }

local REPLY_POINTS = {
  ["in-status-line"] = "both", ["in-headers"] = "both", ["after-headers"] = "both", ["in-body"] = "both",
  ["in-unsized-body"] = "http1", ["in-chunk-size"] = "http1", ["in-chunk"] = "http1",
  ["before-last-chunk"] = "http1",
}

local function end_at_request(ending, stage)
  return {
    stage = stage, waits = ending == "silence",
    run = function(exchange) exchange[ending](exchange) end,
  }
end

local function end_in_reply(ending, point, protocol)
  return {
    only = protocol ~= "both" and protocol or nil, waits = ending == "silence",
    run = function(exchange)
      exchange:write_until(point, replies.ok())
      exchange[ending](exchange)
    end,
  }
end

-- An RST without this pause would look to the client like a port that is closed.
local BEFORE_RESET = 0.05

local function end_connection(ending, stage)
  return { stage = stage, run = function(peer)
    if ending == "reset" then
      cqueues.sleep(BEFORE_RESET)
    end
    peer[ending](peer)
  end }
end

for _, ending in ipairs(ENDINGS) do
  connections[ending .. "-before-reading"] = end_connection(ending, "accept")
  connections[ending .. "-after-handshake"] = end_connection(ending, "handshake")
  for point, stage in pairs(REQUEST_POINTS) do
    requests[ending .. "-" .. point] = end_at_request(ending, stage)
  end
  for point, protocol in pairs(REPLY_POINTS) do
    requests[ending .. "-" .. point] = end_in_reply(ending, point, protocol)
  end
end

-- Connections that die between two requests -----------------------------------

--- Answers the first request of a connection, and ends at a later one.
local function second_request(stage, ending)
  return {
    stage = function(exchange) return exchange.number > 1 and stage or "body" end,
    run = function(exchange)
      if exchange.number > 1 then
        return exchange[ending](exchange)
      end
      exchange:reply(replies.ok())
    end,
  }
end

requests["dead-connection"] = second_request("body", "close")
requests["dead-connection-reset"] = second_request("body", "reset")
requests["dead-connection-after-head"] = second_request("head", "close")
requests["dead-connection-after-half-body"] = second_request("half", "close")
requests["dead-connection-after-half-body-reset"] = second_request("half", "reset")

--- Answers all but the n-th request of a connection, at which the connection ends.
local function nth_request(ending)
  return function(count)
    return { run = function(exchange)
      if exchange.number == count then
        return exchange[ending](exchange)
      end
      exchange:reply(replies.ok())
    end }
  end
end

families["close-at"] = nth_request("close")
families["reset-at"] = nth_request("reset")

requests["close-idle"] = { run = function(exchange)
  exchange:reply(replies.ok())
  exchange:close()
end }

requests["reset-idle"] = { run = function(exchange)
  exchange:reply(replies.ok())
  cqueues.sleep(BEFORE_RESET) -- an RST can overtake the reply and take it back
  exchange:reset()
end }

-- Connections that say something between two requests ----------------------------

-- This long after a reply, the client no longer waits for anything.
local BEFORE_UNASKED = 0.02

local function unasked()
  local reply = replies.ok()
  reply.body = '{"id":"unasked"}'
  return reply
end

requests["unasked-later"] = { only = "http1", lies = true, run = function(exchange)
  exchange:reply(replies.ok())
  cqueues.sleep(BEFORE_UNASKED)
  exchange:reply(unasked())
end }

-- The end of one reply and the next leave together, and are one record of TLS.
requests["unasked-at-once"] = { only = "http1", lies = true, run = function(exchange)
  exchange:write_until("after-headers", replies.ok())
  cqueues.sleep(BEFORE_UNASKED)
  exchange:reply_rest(replies.ok(), unasked())
end }

-- Both leave at once, each in a record of TLS of its own.
requests["unasked-behind"] = { only = "http1", lies = true, run = function(exchange)
  exchange:reply(replies.ok())
  exchange:reply(unasked())
end }

-- What a balancer says to a connection that was idle for too long.
for _, ending in ipairs { "close", "cut", "silence" } do
  requests["408-later-" .. ending] = { only = "http1", lies = true, run = function(exchange)
    exchange:reply(replies.ok())
    cqueues.sleep(BEFORE_UNASKED)
    exchange:reply(replies.error_empty(408))
    exchange[ending](exchange)
  end }
end

-- Success, soon and late -------------------------------------------------------

requests["ok"] = answer(function() return replies.ok() end)
requests["ok-201"] = answer(function() return replies.ok(201) end)
requests["204"] = answer(replies.no_content)

requests["ok-chunked"] = { only = "http1", run = function(exchange)
  exchange:reply_chunked(replies.ok())
end }

-- The end of the connection ends the body, as in HTTP/1.0. Without TLS's close_notify (cut),
-- a client cannot tell a whole body from a truncated one.
for _, ending in ipairs { "close", "cut" } do
  requests["ok-unsized-" .. ending] = { only = "http1", run = function(exchange)
    exchange:reply_unsized(replies.ok())
    exchange[ending](exchange)
  end }
end

local function interim_first(status)
  return { run = function(exchange)
    exchange:interim(status)
    exchange:reply(replies.ok())
  end }
end

requests["100-first"] = interim_first(100)
requests["103-first"] = interim_first(103)

families["slow"] = function(milliseconds)
  return { run = function(exchange)
    cqueues.sleep(milliseconds / 1000)
    exchange:reply(replies.ok())
  end }
end

-- Reads the body when the test says so, and after so many seconds at the latest.
families["stall"] = function(seconds)
  local behaviour = answer(function() return replies.ok() end)
  behaviour.only, behaviour.stalls = "http1", seconds
  return behaviour
end

-- Answers after 50 ms, and with a 429 whatever is one more than so many in a sliding
-- second; what was refused counts too.
families["limit"] = function(most)
  return { run = function(exchange)
    local is_one_more = exchange.server.ledger:arrivals_in_the_last_second() > most
    cqueues.sleep(0.05)
    exchange:reply(is_one_more and replies.error(429) or replies.ok())
  end }
end

-- One byte of the reply every so many milliseconds.
families["drip"] = function(milliseconds)
  return { waits = true, run = function(exchange)
    for piece in exchange:pieces(replies.ok()) do
      if not exchange:write(piece) then
        return
      end
      cqueues.sleep(milliseconds / 1000)
    end
  end }
end

-- Refusals ---------------------------------------------------------------------

for _, status in ipairs { 400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503, 504 } do
  local reply = status < 500 and refuse or answer
  requests[tostring(status)] = reply(function() return replies.error(status) end)
  requests[status .. "-empty"] = reply(function() return replies.error_empty(status) end)
  requests[status .. "-html"] = reply(function() return replies.error_html(status) end)
end

for _, status in ipairs { 301, 302, 303, 307, 308 } do
  requests[tostring(status)] = refuse(function(exchange)
    return replies.redirect(status, exchange.server.ports.elsewhere, exchange.request.path)
  end)
end

local RETRY_AFTER = {
  ["seconds"] = "1", ["zero"] = "0", ["nonsense"] = "soon, perhaps", ["huge"] = "99999999999999999999",
  ["negative"] = "-5", ["fraction"] = "1.5",
}

for _, status in ipairs { 429, 503 } do
  local reply = status == 429 and refuse or answer
  for name, value in pairs(RETRY_AFTER) do
    requests[status .. "-" .. name] = reply(function() return replies.retry_after(status, value) end)
  end
  requests[status .. "-date"] = reply(function() return replies.retry_date(status, 2) end)
  requests[status .. "-past-date"] = reply(function() return replies.retry_date(status, -3600) end)
  families[status .. "-seconds"] = function(seconds)
    return reply(function() return replies.retry_after(status, tostring(seconds)) end)
  end
end

-- Answers as soon as the head is there, and wants no body: over HTTP/1.1 the connection
-- ends, over HTTP/2 the stream (RST_STREAM with NO_ERROR, as RFC 9113 has it).
local function early(make, refuses)
  return { stage = "head", refuses = refuses, run = function(exchange)
    local made = make()
    if exchange.protocol == "http2" then
      return exchange:reply_and_reset(made)
    end
    table.insert(made.headers, { "connection", "close" })
    exchange:reply(made)
    exchange:close()
  end }
end

for _, status in ipairs { 413, 429, 503 } do
  requests["early-" .. status] = early(function() return replies.error(status) end, status < 500)
  requests["early-" .. status .. "-seconds"] = early(function()
    return replies.retry_after(status, "1")
  end, status < 500)
end

local function key_in(exchange)
  return exchange.request.headers["x-api-key"] or ""
end

requests["echo-key"] = refuse(function(exchange) return replies.echo_key(400, key_in(exchange)) end)
requests["echo-key-500"] = answer(function(exchange) return replies.echo_key(500, key_in(exchange)) end)
requests["echo-key-200"] = answer(function(exchange) return replies.echo_key(200, key_in(exchange)) end)
requests["echo-key-html"] = refuse(function(exchange) return replies.echo_key_html(400, key_in(exchange)) end)
requests["echo-key-html-200"] = answer(function(exchange) return replies.echo_key_html(200, key_in(exchange)) end)

-- libcurl 8.14 quotes such a value.
requests["echo-key-encoding"] = { only = "http1", run = function(exchange)
  exchange:write("HTTP/1.1 200 OK\r\ntransfer-encoding: " .. key_in(exchange) .. "\r\n\r\n")
  exchange:close()
end }

local function number_in(exchange)
  local fields = cjson.decode(exchange.request.body)
  return type(fields) == "table" and tostring(fields.number) or ""
end

requests["echo-number"] = refuse(function(exchange) return replies.echo_number(400, number_in(exchange)) end)
requests["echo-number-500"] = answer(function(exchange) return replies.echo_number(500, number_in(exchange)) end)
requests["echo-number-200"] = answer(function(exchange) return replies.echo_number_id(number_in(exchange)) end)

-- 500 for a request over HTTP/1.1 behind which another comes before it is answered.
families["slow-echo-number"] = function(milliseconds)
  return { run = function(exchange)
    cqueues.sleep(milliseconds / 1000)
    if exchange.protocol ~= "http2" and exchange.peer:has_input() then
      return exchange:reply(replies.error(500))
    end
    exchange:reply(replies.echo_number_id(number_in(exchange)))
  end }
end

-- Replies that are not what they seem -------------------------------------------

for name, make in pairs(replies.bodies) do
  requests[name] = answer(make)
end

requests["length-too-long"] = { run = function(exchange)
  exchange:reply(replies.too_long())
  exchange:close()
end }
requests["length-too-short"] = answer(replies.too_short)
requests["bytes-after-reply"] = answer(replies.bytes_after)

requests["not-http"] = { only = "http1", run = function(exchange)
  exchange:write("SSH-2.0-OpenSSH_9.2\r\n")
  exchange:close()
end }

local function add_all(rows, more)
  for name, row in pairs(more) do
    rows[name] = row
  end
end

-- Replies with that many templates, for operations that list them.
families["templates"] = function(count)
  return answer(function() return replies.templates(count) end)
end

add_all(requests, http2_behaviours.requests)
add_all(families, http2_behaviours.families)
add_all(connections, http2_behaviours.connections)

-- What the last reply says counts, and an interim one is none.
requests["429-after-103"] = refuse(function(exchange)
  exchange:interim(103, { { "retry-after", "3600" } })
  return replies.error(429)
end)

-- Names to behaviours -------------------------------------------------------------

local unknown = refuse(function(exchange)
  return replies.error(404, "the fault server knows no behaviour " .. exchange.name)
end)

local other_protocol = refuse(function() return replies.error(501, "not in this version of HTTP") end)

requests["drip"] = families["drip"](1000)

local function member(of, name)
  local prefix, number = name:match("^(.-)%-(%d+)$")
  return of[prefix] and of[prefix](tonumber(number))
end

local function in_family(name)
  return member(families, name)
end

-- How often these are in the draw where the others are once.
local MIXED_IN = { mixed = { ok = 40, ["429-zero"] = 10 }, calm = { ok = 2000, ["429-zero"] = 20 } }

local function suits(behaviour, protocol)
  return not behaviour.only or behaviour.only == protocol
end

-- Of an HTTP/2 connection on which nothing more comes libcurl takes no notice: all
-- that follows on it would run out of time.
local SILENCES_ALL = {
  ["silence-in-status-line"] = true, ["silence-in-headers"] = true, ["silence-after-handshake"] = true,
}

-- A 429 makes a client stop; the others wait as long as it has patience.
local LEFT_OUT = {
  quick = function(name, behaviour)
    return behaviour.waits or (name:find("429") and name ~= "429-zero")
  end,
  mixed = function(name)
    return name == "drip" or SILENCES_ALL[name] or (name:find("429") and name ~= "429-zero")
  end,
  [""] = function() return false end,
}

LEFT_OUT.calm = LEFT_OUT.mixed

local sorted = {} -- by protocol and manner

local function sorted_names(protocol, manner)
  local known = protocol .. " " .. manner
  if sorted[known] then
    return sorted[known]
  end
  local names = {}
  sorted[known] = names
  for name, behaviour in pairs(requests) do
    if suits(behaviour, protocol) and not behaviour.lies and not LEFT_OUT[manner](name, behaviour) then
      for _ = 1, MIXED_IN[manner] and MIXED_IN[manner][name] or 1 do
        names[#names + 1] = name
      end
    end
  end
  table.sort(names)
  return names
end

--- A generator of its own for each seed: what others draw changes nothing.
local function draw(ledger, name, count)
  local state = ledger.random[name] or tonumber(name:match("%d+$"))
  state = state * 6364136223846793005 + 1442695040888963407
  ledger.random[name] = state
  return (state >> 33) % count + 1
end

local function at_random(exchange, name, manner)
  local ledger, names = exchange.server.ledger, sorted_names(exchange.protocol, manner)
  local drawn = names[draw(ledger, name, #names)]
  ledger:drew(drawn)
  return requests[drawn]
end

local function named(exchange, name)
  local manner = name:match("^(%l-)%-?random%-%d+$")
  if manner and LEFT_OUT[manner] then
    return at_random(exchange, name, manner)
  end
  return requests[name] or in_family(name) or unknown
end

--- The behaviour of this exchange, and the name under which it is counted.
function behaviours.choose(exchange)
  local name = exchange.server.ledger:take_armed("request")
    or exchange.request.path:match("^/v1/businesses/([^/?]+)") or "none"
  local behaviour = named(exchange, name)
  return suits(behaviour, exchange.protocol) and behaviour or other_protocol, name
end

function behaviours.stage(behaviour, exchange)
  local stage = behaviour.stage or "body"
  return type(stage) == "function" and stage(exchange) or stage
end

local function connection_at_random(ledger, name)
  local names = {}
  for fault in pairs(connections) do
    names[#names + 1] = not SILENCES_ALL[fault] and fault or nil
  end
  table.sort(names)
  local drawn = names[draw(ledger, name, 3 * #names)]
  if drawn then
    ledger:drew(drawn)
  end
  return drawn and connections[drawn]
end

-- Those of HTTP/2 with a number that gives a client something to do.
local WILD = {
  "goaway-after-5", "goaway-after-20", "goaway-after-60", "streams-1", "streams-5", "streams-later-0", "streams-later-1",
  "streams-later-5", "window-close-3", "window-goaway-10", "window-reset-3",
}

--- One of these or of the others in every third connection.
local function connection_in_the_wild(ledger, name)
  local names = {}
  for fault in pairs(connections) do
    names[#names + 1] = not SILENCES_ALL[fault] and fault or nil
  end
  table.sort(names)
  table.move(WILD, 1, #WILD, #names + 1, names)
  local drawn = names[draw(ledger, name, 3 * #names)]
  if drawn then
    ledger:drew(drawn)
  end
  return drawn and (connections[drawn] or member(connection_families, drawn))
end

local AT_RANDOM = { faulty = connection_at_random, wild = connection_in_the_wild }

local function random_manner(name)
  return AT_RANDOM[name:match("^(%l+)%-connections%-%d+$")]
end

--- The behaviour of a connection by its name, or nil.
function behaviours.of_connection(name, ledger)
  local draw_one = random_manner(name)
  if draw_one then
    return draw_one(ledger, name)
  end
  return connections[name] or member(connection_families, name)
end

--- Whether `name` waits for a "connection" or a "request"; nil when there is none such.
function behaviours.place(name)
  if connections[name] or member(connection_families, name) or random_manner(name) then
    return "connection"
  elseif requests[name] or in_family(name) or name:find("random%-%d+$") then
    return "request"
  end
end

local function describe(behaviour, place)
  local stage = type(behaviour.stage) == "function" and "varies" or behaviour.stage or "body"
  return {
    place = place, stage = stage, only = behaviour.only, waits = behaviour.waits or false,
    refuses = behaviour.refuses or false,
  }
end

--- All names with what a test may want to know of them.
function behaviours.list()
  local list = {}
  for name, behaviour in pairs(requests) do
    list[name] = describe(behaviour, "request")
  end
  for name, behaviour in pairs(connections) do
    list[name] = describe(behaviour, "connection")
  end
  return list
end

return behaviours
