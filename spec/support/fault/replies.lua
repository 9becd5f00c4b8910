--- replies.lua - the contents of the server's replies, independent of how they are sent.
---
--- A reply is { status, headers = { { name, value }, ... }, body, length, reason };
--- `length` is the announced Content-Length if it differs from the body's length.

local cjson = require "cjson"

local ULID_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

local replies = {}

-- Message ids -------------------------------------------------------------

local ids_given = 0

local function base32(number, width)
  local digits = {}
  for place = width, 1, -1 do
    local digit = number % 32 + 1
    digits[place] = ULID_DIGITS:sub(digit, digit)
    number = number // 32
  end
  return table.concat(digits)
end

--- No two replies of one server have the same id.
local function new_id()
  ids_given = ids_given + 1
  return base32(os.time() * 1000, 10) .. base32(ids_given, 16)
end

-- Makers ------------------------------------------------------------------

local function reply(status, body, content_type)
  local headers = content_type and { { "content-type", content_type } }
  return { status = status, headers = headers or {}, body = body }
end

local function json(status, body)
  return reply(status, body, "application/json")
end

local function html(status, text)
  return reply(status, "<html><body><h1>" .. text .. "</h1></body></html>", "text/html")
end

local function with_header(made, name, value)
  table.insert(made.headers, { name, value })
  return made
end

function replies.ok(status)
  return json(status or 200, ('{"id":"%s"}'):format(new_id()))
end

local ERROR_TYPES = { [401] = "ERROR_TYPE_AUTHENTICATION", [403] = "ERROR_TYPE_AUTHENTICATION" }

function replies.error(status, message)
  return json(status, cjson.encode {
    message = message or ("fault " .. status),
    type = ERROR_TYPES[status] or "ERROR_TYPE_INVALID_REQUEST",
    code = "ERROR_CODE_FAULT_SERVER",
    userTitle = "Fault", userMessage = "The fault server was asked for this.",
    cntTraceId = "15555555555555555555", details = cjson.decode("{}"),
  })
end

function replies.error_html(status)
  return html(status, "Error " .. status)
end

function replies.error_empty(status)
  return reply(status, "")
end

function replies.no_content()
  return reply(204, "")
end

--- Sends the client to a port that should never hear of it.
function replies.redirect(status, port, path)
  local location = ("http://localhost:%d%s"):format(port, path)
  return with_header(html(status, "Moved"), "location", location)
end

function replies.retry_after(status, value)
  return with_header(replies.error(status), "retry-after", value)
end

local function http_date(time)
  return os.date("!%a, %d %b %Y %H:%M:%S GMT", time)
end

function replies.retry_date(status, seconds)
  return replies.retry_after(status, http_date(os.time() + seconds))
end

-- What get/templates answers -------------------------------------------------

local TEMPLATE = '{"id":"g%d","name":"template_%d","category":"UTILITY","templates":[{"id":"t%d","language":{"code":"en"},'
  .. '"status":"MESSAGE_TEMPLATE_STATUS_APPROVED","templateComponents":'
  .. '[{"body":{"text":{"text":"Hi {{1}}, order {{2}} left our store.","example":["Ana","A-1"]}}}]}]}'

--- template_1, template_2, ..., each with two variables.
function replies.templates(count)
  local groups = {}
  for index = 1, count do
    groups[index] = TEMPLATE:format(index, index, index)
  end
  return json(200, ('{"entity":{"templateGroups":[%s]}}'):format(table.concat(groups, ",")))
end

-- Bodies with status 200 that are no success -------------------------------

local BIG_BODY = 2 * 1024 * 1024
local DEEPEST = 100000
local BIG_HEADER = 512 * 1024

local function literal(body)
  return function() return json(200, body) end
end

--- Each of these is a function without arguments.
replies.bodies = {
  ["empty-body"] = literal(""),
  ["not-json"] = literal("id=01ARZ3NDEKTSV4RRFFQ69G5FAV"),
  ["cut-json"] = literal('{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV"'),
  ["json-array"] = literal('["01ARZ3NDEKTSV4RRFFQ69G5FAV"]'),
  ["json-string"] = literal('"01ARZ3NDEKTSV4RRFFQ69G5FAV"'),
  ["invalid-utf8"] = literal('{"id":"01ARZ3NDEKTSV4RRFFQ69G5F\xff\xfe"}'),
  ["zero-byte-in-id"] = literal('{"id":"01ARZ3NDEK\\u0000TSV4RRFFQ69G5FAV"}'),
  ["deep-nesting"] = literal(("["):rep(DEEPEST) .. ("]"):rep(DEEPEST)),
  ["duplicate-id"] = literal('{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","id":"01BX5ZZKBKACTAV9WEVGEMMVRZ"}'),
  ["number-id"] = literal('{"id":1555555555555555}'),
  ["empty-id"] = literal('{"id":""}'),
  ["null-id"] = literal('{"id":null}'),
  ["object-id"] = literal('{"id":{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV"}}'),
  ["missing-id"] = literal('{"status":"accepted"}'),
  ["html-200"] = function() return html(200, "Everything is fine") end,
}

replies.bodies["big-body"] = function()
  local padding = (" "):rep(BIG_BODY)
  return json(200, '{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","padding":"' .. padding .. '"}')
end

replies.bodies["big-header"] = function()
  return with_header(replies.ok(), "x-padding", ("x"):rep(BIG_HEADER))
end

-- Wrong lengths -------------------------------------------------------------

--- Claims more than it sends; the rest never comes.
function replies.too_long()
  local made = replies.ok()
  made.length = #made.body + 50
  return made
end

--- Announces less than it sends: the id is cut, and the remaining bytes belong to no reply.
function replies.too_short()
  local made = replies.ok()
  made.length = 10
  return made
end

--- A whole reply, and then bytes that belong to none.
function replies.bytes_after()
  local made = replies.ok()
  made.length = #made.body
  made.body = made.body .. "and some more bytes"
  return made
end

-- Gzip ----------------------------------------------------------------------

local BOMB_RUNS = 50000

--- Bits of a deflate stream: literals of fixed Huffman codes, highest bit first.
local function literal_bits(text)
  return (text:gsub(".", function(letter)
    local code, bits = letter:byte() + 48, {}
    for place = 7, 0, -1 do
      bits[#bits + 1] = code >> place & 1
    end
    return table.concat(bits)
  end))
end

--- Deflate fills its bytes from the lowest bit.
local function pack_bits(bits)
  return (bits:gsub(("."):rep(8), function(octet)
    return string.char(tonumber(octet:reverse(), 2))
  end))
end

-- "258 times what came last": 13 bits, so that eight of them fill 13 bytes
-- and the bytes repeat, whatever bit they begin at.
local RUN_BITS = "1100010100000"

local function bomb()
  local start = "110" .. literal_bits('{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","padding":"x')
  local runs = RUN_BITS:rep(8)
  local phase = -#start % 8
  local head, cycle = start .. runs:sub(1, phase), runs:sub(phase + 1) .. runs:sub(1, phase)
  local tail = runs:sub(phase + 1) .. literal_bits('"}') .. "0000000"
  tail = tail .. ("0"):rep(-#tail % 8)
  return pack_bits(head) .. pack_bits(cycle):rep(BOMB_RUNS) .. pack_bits(tail)
end

--- About 100 MiB of JSON in 650 kB, sent without having been asked for gzip.
--- Its checksum is wrong: who gets as far as that has read too much already.
replies.bodies["gzip-bomb"] = function()
  local gzip = "\x1f\x8b\8\0\0\0\0\0\0\3" .. bomb() .. ("\0"):rep(8)
  return with_header(json(200, gzip), "content-encoding", "gzip")
end

-- The key, given back ---------------------------------------------------------

local function escaped(text)
  return (text:gsub(".", function(letter)
    return ("\\u%04x"):format(letter:byte())
  end))
end

--- An error that quotes the caller's key wherever text can stand.
function replies.echo_key(status, key)
  local body = ([[{"message":"bad key KEY","type":"ERROR_TYPE_KEY","code":"ERROR_CODE_KEY",
"userTitle":"KEY","userMessage":"Your key ESCAPED is wrong","cntTraceId":"KEY",
"details":{"header":"X-API-Key: KEY","escaped":"ESCAPED","KEY":true,"list":["KEY"]}}]])
  local values = { KEY = key:gsub('[%c"\\]', "?"), ESCAPED = escaped(key) }
  return json(status, (body:gsub("%u+", values)))
end

function replies.echo_key_html(status, key)
  return html(status, "X-API-Key: " .. key)
end

-- The customer's number, given back --------------------------------------------

--- The ways in which people and programs write a number of eleven digits.
local function number_spellings(number)
  local area, exchange, line = number:match("(%d%d%d)(%d%d%d)(%d%d%d%d)$")
  return {
    PLAIN = number, BARE = number:match("%d+"), AREA = ("(%s) %s-%s"):format(area, exchange, line),
    DOTS = ("+1.%s.%s.%s"):format(area, exchange, line), SPACES = ("+1 %s %s %s"):format(area, exchange, line),
  }
end

--- An error that names the customer wherever an error is known by its line.
function replies.echo_number(status, number)
  local body = [[{"message":"cannot reach AREA, DOTS, SPACES, BARE or PLAIN","type":"ERROR_TYPE_BARE_PLAIN",
"code":"ERROR_CODE_PLAIN_SPACES_BARE","cntTraceId":"PLAIN","details":{}}]]
  local values = number_spellings(number)
  return json(status, (body:gsub("%u+", values)))
end

--- A success whose id is no ULID.
function replies.echo_number_id(number)
  return json(200, cjson.encode { id = "message to " .. number })
end

replies.html = html

return replies
