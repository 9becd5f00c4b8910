--- The fault server does what its rows say: seen with raw sockets, and with the
--- curl command where TLS is needed. Other specs rest on this one.

local cjson = require "cjson"
local cqueues = require "cqueues"
local errno = require "cqueues.errno"
local faults = require "spec.support.faults"
local socket = require "cqueues.socket"
local sockets = require "spec.support.sockets"

local BODY = '{"number":"+16044441234","callbackData":"one"}'
local REQUEST = "POST /v1/businesses/%s/send/messages HTTP/1.1\r\nhost: localhost\r\n"
  .. "x-api-key: sEcReT\r\ncontent-length: %d\r\n\r\n%s"
local PATIENCE = 0.12 -- seconds after which a quiet connection counts as silent

local ENDINGS = { [errno.ECONNRESET] = "reset", [errno.ETIMEDOUT] = "silence" }

local function connect(server, port)
  return sockets.raw(assert(socket.connect("127.0.0.1", server.ports[port or "http"])))
end

local function post(connection, behaviour)
  connection:write(REQUEST:format(behaviour, #BODY, BODY))
end

--- The socket can lose the error of an RST that comes close behind bytes. After a FIN
--- the server still takes a byte; after an RST nobody does.
local function is_reset(connection)
  cqueues.sleep(0.01)
  return not connection:xwrite("x", "bn")
end

--- Everything that comes, and how it ends: "close", "reset" or "silence".
local function read_all(connection, patience)
  local parts = {}
  while true do
    local part, why = connection:xread(-65536, patience or PATIENCE)
    if not part then
      local ending = why and ENDINGS[why] or is_reset(connection) and "reset" or "close"
      return table.concat(parts), ending
    end
    parts[#parts + 1] = part
  end
end

--- One request on a connection of its own, which ends with the reply.
local function exchange(server, behaviour, patience)
  local connection = connect(server)
  connection:write((REQUEST:format(behaviour, #BODY, BODY):gsub("\r\n", "\r\nconnection: close\r\n", 1)))
  local reply, ending = read_all(connection, patience)
  connection:close()
  return reply, ending
end

--- Reads one reply with a Content-Length, and leaves the connection as it is.
local function read_reply(connection)
  local head, length = {}, 0
  repeat
    local line = connection:xread("*L", 2)
    head[#head + 1] = line
    length = tonumber((line or ""):match("^content%-length: (%d+)")) or length
  until not line or line == "\r\n"
  return table.concat(head), length > 0 and connection:xread(length, 2) or ""
end

local function curl(server, arguments)
  local command = ("curl -sS --max-time 5 --cacert '%s' -d '%s' %s 2>&1; echo \" exit=$?\""):format(
    server.ca_file, BODY, arguments)
  local output = assert(io.popen(command))
  local text = output:read("*a")
  output:close()
  return text
end

local function path(behaviour)
  return "/v1/businesses/" .. behaviour .. "/send/messages"
end

describe("the fault server", function()
  local server = faults.serve()

  describe("when it breaks off over HTTP/1.1", function()
    local HEAD = "HTTP/1.1 200 OK\r\ncontent%-type: application/json\r\n"
    local ID = '{"id":"%w+"}'
    local POINTS = {
      { "after-head", received = 0, reply = "^$" },
      { "after-half-body", received = 0, reply = "^$" },
      { "after-request", received = 1, reply = "^$" },
      { "in-status-line", received = 1, reply = "^HTTP/1.1 2$" },
      { "in-headers", received = 1, reply = "^" .. HEAD .. "content%-len$" },
      { "after-headers", received = 1, reply = "^" .. HEAD .. "content%-length: %d+\r\n\r\n$" },
      { "in-body", received = 1, reply = '\r\ncontent%-length: %d+\r\n\r\n{"id":"%w+$' },
      { "in-unsized-body", received = 1, reply = '^' .. HEAD .. 'connection: close\r\n\r\n{"id":"%w+$' },
      { "in-chunk-size", received = 1, reply = "chunked\r\n\r\n1$" },
      { "in-chunk", received = 1, reply = 'chunked\r\n\r\n%x+\r\n{"id":"%w+$' },
      { "before-last-chunk", received = 1, reply = "chunked\r\n\r\n%x+\r\n" .. ID .. "\r\n$" },
    }

    for _, ending in ipairs { "close", "cut", "reset", "silence" } do
      for _, point in ipairs(POINTS) do
        local name = ending .. "-" .. point[1]
        it(name .. " counts " .. point.received, function()
          local reply, seen = exchange(server, name)
          assert.matches(point.reply, reply)
          assert.equal(ending == "cut" and "close" or ending, seen)
          assert.equal(point.received, server:tally().requests)
        end)
      end
    end
  end)

  describe("when a connection is armed", function()
    local function first_ending()
      local connection = connect(server)
      cqueues.sleep(0.01)
      post(connection, "ok")
      local reply, ending = read_all(connection)
      connection:close()
      return reply, ending
    end

    for _, ending in ipairs { "close", "cut", "reset", "silence" } do
      it(ending .. "-before-reading takes nothing, and only once", function()
        server:arm(ending .. "-before-reading")
        local reply, seen = first_ending()
        assert.equal("", reply)
        assert.equal(ending == "cut" and "close" or ending, seen)
        assert.equal(0, server:tally().requests)
        assert.matches("^HTTP/1.1 200", (first_ending()))
      end)
    end
  end)

  describe("when it replies", function()
    local ROWS = {
      { "ok", '^HTTP/1.1 200 .*\r\n\r\n{"id":"01%w+"}$' },
      { "ok-201", '^HTTP/1.1 201 .*{"id":"01%w+"}$' },
      { "ok-chunked", '\r\n23\r\n{"id":"01%w+"}\r\n0\r\n\r\n$' },
      { "ok-unsized-close", '\r\nconnection: close\r\n\r\n{"id":"01%w+"}$' },
      { "ok-unsized-cut", '\r\nconnection: close\r\n\r\n{"id":"01%w+"}$' },
      { "204", "^HTTP/1.1 204 No Content\r\n\r\n$" },
      { "100-first", "^HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 " },
      { "103-first", "^HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 " },
      { "400", '^HTTP/1.1 400 .*"cntTraceId":"15555555555555555555"' },
      { "404-empty", "^HTTP/1.1 404 .*\r\ncontent%-length: 0\r\n\r\n$" },
      { "413-html", "^HTTP/1.1 413 .*text/html.*</html>$" },
      { "429", "^HTTP/1.1 429 Too Many Requests\r\ncontent%-type: application/json\r\ncontent%-length" },
      { "429-seconds", "\r\nretry%-after: 1\r\n" },
      { "429-seconds-7", "\r\nretry%-after: 7\r\n" },
      { "429-date", "\r\nretry%-after: %a%a%a, %d%d %a%a%a %d%d%d%d %d%d:%d%d:%d%d GMT\r\n" },
      { "429-nonsense", "\r\nretry%-after: soon, perhaps\r\n" },
      { "429-huge", "\r\nretry%-after: 99999999999999999999\r\n" },
      { "503-seconds", "^HTTP/1.1 503 .*\r\nretry%-after: 1\r\n" },
      { "502", "^HTTP/1.1 502 " },
      { "html-200", "^HTTP/1.1 200 .*<html>" },
      { "empty-body", "^HTTP/1.1 200 .*\r\ncontent%-length: 0\r\n\r\n$" },
      { "invalid-utf8", "\255\254\"}$" },
      { "duplicate-id", '{"id":"%w+","id":"%w+"}$' },
      { "number-id", '{"id":%d+}$' },
      { "empty-id", '{"id":""}$' },
      { "null-id", '{"id":null}$' },
      { "missing-id", '{"status":"accepted"}$' },
      { "length-too-long", '\r\ncontent%-length: 85\r\n\r\n{"id":"%w+"}$' },
      { "length-too-short", '\r\ncontent%-length: 10\r\n\r\n{"id":"%w+"}$' },
      { "bytes-after-reply", '\r\ncontent%-length: 35\r\n\r\n{"id":"%w+"}and some more bytes$' },
      { "not-http", "^SSH%-2.0" },
      { "echo-key", '"message":"bad key sEcReT".*\\u0073\\u0045\\u0063.*"X%-API%-Key: sEcReT"' },
      { "echo-key-html", "^HTTP/1.1 400 .*sEcReT" },
      { "nobody-knows-this", "^HTTP/1.1 404 .*knows no behaviour nobody%-knows%-this" },
      { "goaway-then-reply", "^HTTP/1.1 501 " },
    }

    for _, row in ipairs(ROWS) do
      it("answers " .. row[1] .. " and counts 1", function()
        assert.matches(row[2], (exchange(server, row[1])))
        assert.equal(1, server:tally().requests)
      end)
    end

    it("sends 2 MiB, and 100,000 brackets", function()
      assert.is_true(#exchange(server, "big-body", 0.5) > 2 * 1024 * 1024)
      local _, brackets = exchange(server, "deep-nesting", 0.5):gsub("%[", "")
      assert.equal(100000, brackets)
    end)

    it("sends gzip that becomes far more", function()
      local unpacked = curl(server, server:url("http") .. path("gzip-bomb") .. " | gzip -dc 2>/dev/null | wc -c")
      assert.is_true(tonumber(unpacked:match("%d+")) > 90 * 1024 * 1024)
      assert.matches("\r\ncontent%-encoding: gzip\r\n", (exchange(server, "gzip-bomb")))
    end)

    it("redirects to a port that counts its visitors", function()
      local reply = exchange(server, "307")
      assert.matches("\r\nlocation: http://localhost:" .. server.ports.elsewhere .. "/v1/", reply)
      assert.equal(0, server:tally().elsewhere)
      connect(server, "elsewhere"):close()
      cqueues.sleep(0.05)
      assert.equal(1, server:tally().elsewhere)
    end)

    it("is slow by the millisecond, and drips", function()
      local started = cqueues.monotime()
      local connection = connect(server)
      post(connection, "slow-150")
      assert.matches("^HTTP/1.1 200", (read_reply(connection)))
      assert.is_true(cqueues.monotime() - started > 0.14)
      connection:close()
      assert.matches("^HTTP/1.1 200", (exchange(server, "drip-1")))
      assert.equal("H", (exchange(server, "drip")))
    end)
  end)

  describe("on the second request of a connection", function()
    local ROWS = {
      { "dead-connection", received = 2, ending = "close" },
      { "dead-connection-reset", received = 2, ending = "reset" },
      { "dead-connection-after-head", received = 1, ending = "close" },
      { "dead-connection-after-half-body", received = 1, ending = "close" },
      { "dead-connection-after-half-body-reset", received = 1, ending = "reset" },
    }
    for _, row in ipairs(ROWS) do
      it(row[1] .. " has counted " .. row.received .. " and answers nothing", function()
        local connection = connect(server)
        post(connection, row[1])
        assert.matches("^HTTP/1.1 200", (read_reply(connection)))
        post(connection, row[1])
        local reply, ending = read_all(connection)
        connection:close()
        assert.equal("", reply)
        assert.equal(row.ending, ending)
        assert.equal(row.received, server:tally().requests)
      end)
    end

    it("dead-connection answers again on a new connection, and the repeat shows", function()
      local url = server:url("http") .. path("dead-connection")
      curl(server, ("%s --next -sS -d '%s' %s"):format(url, BODY, url))
      local counts = server:counts()
      -- The curl command sends the second one again, unasked.
      assert.equal(3, counts.requests)
      assert.equal(2, counts.connections)
    end)

    it("close-idle and reset-idle end the connection after the reply", function()
      local reply, ending = exchange(server, "close-idle")
      assert.matches("^HTTP/1.1 200", reply)
      assert.equal("close", ending)
      reply, ending = exchange(server, "reset-idle")
      assert.matches("^HTTP/1.1 200", reply)
      assert.equal("reset", ending)
    end)
  end)

  describe("in counting", function()
    it("keeps bodies, keys, names and times", function()
      exchange(server, "ok")
      cqueues.sleep(0.05)
      exchange(server, "500")
      local counts, arrivals = server:counts(), server:arrivals()
      assert.same({ BODY, BODY }, counts.bodies)
      assert.same({ one = 2 }, counts.by_key)
      assert.same({ ok = 1, ["500"] = 1 }, counts.by_behaviour)
      assert.equal(2, #arrivals)
      assert.is_true(arrivals[2] - arrivals[1] >= 0.05)
    end)

    it("takes chunks for a body, and a header for a key", function()
      local connection = connect(server)
      connection:write("POST " .. path("ok") .. " HTTP/1.1\r\ncallbackData: two\r\n"
        .. "transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n1\r\n \r\n0\r\n\r\n")
      read_reply(connection)
      connection:close()
      local counts = server:counts()
      assert.same({ "{} " }, counts.bodies)
      assert.same({ two = 1 }, counts.by_key)
    end)

    it("does not count what did not come whole", function()
      local connection = connect(server)
      connection:write(REQUEST:format("ok", #BODY + 1, BODY))
      connection:shutdown("w")
      read_all(connection)
      connection:close()
      assert.equal(0, server:tally().requests)
    end)

    it("arms requests in order, whatever their path", function()
      server:arm("429", 2)
      server:arm("503")
      local statuses = {}
      for index = 1, 4 do
        statuses[index] = exchange(server, "ok"):match("^HTTP/1.1 (%d+)")
      end
      assert.same({ "429", "429", "503", "200" }, statuses)
      assert.is_false(pcall(server.arm, server, "nobody-knows-this"))
    end)

    it("tells what was refused from what may be accepted", function()
      for _, behaviour in ipairs { "429", "307", "400-html", "500", "close-after-request", "429-seconds-1" } do
        exchange(server, behaviour)
      end
      local counts = server:tally()
      assert.same({ one = 6 }, counts.by_key)
      assert.same({ one = 2 }, counts.accepted)
    end)

    it("draws the same behaviours for the same seed", function()
      local function draw(seed)
        local drawn = {}
        for index = 1, 12 do
          drawn[index] = exchange(server, "quick-random-" .. seed):sub(1, 12)
        end
        return drawn
      end
      local first = draw(7)
      server:reset()
      assert.same(first, draw(7))
      assert.are_not.same(first, draw(8))
    end)

    it("refuses an HTTP/2 request whose body has another length than its head says", function()
      assert.matches("exit=92", curl(server, "-H 'content-length: 7' " .. server:url("https") .. path("ok")))
      assert.equal(0, server:tally().requests)
    end)

    it("lists its behaviours", function()
      local list = server:behaviours()
      assert.same({ place = "request", stage = "half", waits = false, refuses = false }, list["reset-after-half-body"])
      assert.equal("http2", list["refused-stream"].only)
      assert.equal("connection", list["close-before-reading"].place)
    end)
  end)

  describe("over TLS", function()
    local BAD = { wrong_host = 60, expired = 60, unknown_ca = 60, tls11 = 35, handshake_cut = 35 }
    for port, exit in pairs(BAD) do
      it(port .. " keeps a careful client from sending", function()
        assert.matches("exit=" .. exit, curl(server, server:url(port) .. path("ok")))
        assert.equal(0, server:tally().requests)
      end)
    end

    it("wrong_host, expired and unknown_ca would answer a careless one", function()
      for _, port in ipairs { "wrong_host", "expired", "unknown_ca" } do
        assert.matches('{"id".*exit=0', curl(server, "-k " .. server:url(port) .. path("ok")))
      end
      local old = "--tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0 "
      assert.matches('{"id".*exit=0', curl(server, old .. server:url("tls11") .. path("ok")))
    end)

    it("speaks HTTP/2 to who offers it, on all names of the certificate", function()
      local version = "-o /dev/null -w '%{http_version} %{http_code}' "
      assert.matches("^2 200", curl(server, version .. server:url("https") .. path("ok")))
      assert.matches("^1.1 200", curl(server, version .. "--http1.1 " .. server:url("https") .. path("ok")))
      assert.matches("^1.1 200", curl(server, version .. server:url("https1") .. path("ok")))
      local by_name = server:url("https"):gsub("127.0.0.1", "localhost")
      assert.matches("^2 200", curl(server, version .. by_name .. path("ok")))
      assert.same({ http1 = 2, http2 = 2 }, server:tally().by_protocol)
    end)

    it("says good-bye when it closes, and not when it is cut", function()
      local function last_words(behaviour)
        local request = REQUEST:format(behaviour, #BODY, BODY):gsub("\r\n", "\\r\\n")
        local pipe = assert(io.popen(("(printf '%s'; sleep 0.2) | openssl s_client -quiet -msg -connect 127.0.0.1:%d"
          .. " -CAfile %s 2>&1"):format(request, server.ports.https1, server.ca_file)))
        local text = pipe:read("*a")
        pipe:close()
        return text
      end
      assert.matches("<<<[^\n]*close_notify", last_words("close-in-unsized-body"))
      local cut = last_words("cut-in-unsized-body")
      assert.matches('{"id":"', cut)
      assert.is_nil(cut:find("<<<[^\n]*close_notify"))
    end)

    it("refused is closed, and silent says nothing", function()
      assert.matches("exit=7", curl(server, server:url("refused") .. path("ok")))
      assert.matches("exit=28", curl(server, "-m 0.3 " .. server:url("silent") .. path("ok")))
      assert.matches("exit=28", curl(server, "-m 0.3 " .. server:url("silent", "http") .. path("ok")))
      assert.equal(0, server:tally().requests)
    end)
  end)

  describe("over HTTP/2", function()
    local KINDS = { [0] = "DATA", [1] = "HEADERS", [3] = "RST_STREAM", [4] = "SETTINGS", [7] = "GOAWAY" }

    local function frame(kind, flags, id, payload)
      return string.char(0, math.floor(#payload / 256), #payload % 256, kind, flags, 0, 0, 0, id) .. payload
    end

    local function literal(name, value)
      return "\0" .. string.char(#name) .. name .. string.char(#value) .. value
    end

    local function send(connection, id, behaviour)
      local head = literal(":method", "POST") .. literal(":scheme", "http")
        .. literal(":path", path(behaviour)) .. literal("content-length", tostring(#BODY))
      connection:write(frame(1, 4, id, head) .. frame(0, 0, id, BODY:sub(1, -2)))
      connection:write(frame(0, 1, id, BODY:sub(-1)))
    end

    -- A connection with a request for each of these behaviours, on streams 1, 3, ...
    local function open(...)
      local connection = connect(server)
      connection:write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" .. frame(4, 0, 0, ""))
      for index, behaviour in ipairs { ... } do
        send(connection, 2 * index - 1, behaviour)
      end
      return connection
    end

    -- Frames as words, e.g. "RST_STREAM:1:7" with the stream and the last number in it.
    local function words(bytes)
      local list, place = {}, 1
      while #bytes - place >= 8 do
        local high, low, kind, _, _, _, _, id = bytes:byte(place + 1, place + 8)
        local size = high * 256 + low
        local name = KINDS[kind]
        if name and id > 0 or name == "GOAWAY" then
          list[#list + 1] = ("%s:%d"):format(name, id)
        end
        if name == "GOAWAY" or name == "RST_STREAM" then
          list[#list] = list[#list] .. ":" .. bytes:byte(place + 8 + size)
        end
        if name == "GOAWAY" then
          list[#list] = list[#list] .. ":" .. bytes:byte(place + 12)
        end
        place = place + 9 + size
      end
      return table.concat(list, " ")
    end

    local function talk(behaviour)
      local connection = open(behaviour)
      local bytes, ending = read_all(connection)
      connection:close()
      return words(bytes), ending
    end

    -- GOAWAY:stream:error:last stream it will look at
    local ROWS = {
      { "ok", "HEADERS:1 DATA:1", "silence", 1 },
      { "204", "HEADERS:1", "silence", 1 },
      { "103-first", "HEADERS:1 HEADERS:1 DATA:1", "silence", 1 },
      { "empty-body", "HEADERS:1 DATA:1", "silence", 1 },
      { "refused-stream", "RST_STREAM:1:7", "silence", 0 },
      { "refused-stream-after-request", "RST_STREAM:1:7", "silence", 1 },
      { "refused-stream-acted-on", "RST_STREAM:1:7", "silence", 1 },
      { "early-413", "HEADERS:1 DATA:1 RST_STREAM:1:0", "silence", 0 },
      { "cancel-stream", "RST_STREAM:1:8", "silence", 1 },
      { "cancel-stream-after-head", "RST_STREAM:1:8", "silence", 0 },
      { "goaway-before-stream", "GOAWAY:0:0:0", "close", 0 },
      { "goaway-after-request", "GOAWAY:0:0:1", "close", 1 },
      { "goaway-error-after-request", "GOAWAY:0:2:1", "close", 1 },
      { "goaway-then-reply", "GOAWAY:0:0:1 HEADERS:1 DATA:1", "close", 1 },
      { "close-after-head", "", "close", 0 },
      { "reset-after-half-body", "", "reset", 0 },
      { "close-after-request", "", "close", 1 },
      { "close-in-status-line", "", "close", 1 },
      { "reset-in-headers", "HEADERS:1", "reset", 1 },
      { "close-after-headers", "HEADERS:1", "close", 1 },
      { "cut-in-body", "HEADERS:1 DATA:1", "close", 1 },
      { "silence-in-body", "HEADERS:1 DATA:1", "silence", 1 },
      { "silence-after-request", "", "silence", 1 },
      { "close-at-streams-1", "", "close", 1 },
    }

    for _, row in ipairs(ROWS) do
      it(row[1] .. " counts " .. row[4], function()
        local seen, ending = talk(row[1])
        assert.equal(row[2], seen)
        assert.equal(row[3], ending)
        assert.equal(row[4], server:tally().requests)
      end)
    end

    it("goaway-at-start comes before anything was asked", function()
      server:arm("goaway-at-start")
      assert.equal("GOAWAY:0:0:0", (talk("ok")))
      assert.equal(0, server:tally().requests)
    end)

    --- The words in answer to `count` streams at once, on a connection with this fault.
    local function talk_many(fault, behaviour, count)
      server:arm(fault)
      local connection = open()
      for number = 1, count do
        send(connection, 2 * number - 1, behaviour)
      end
      local bytes, ending = read_all(connection)
      connection:close()
      return words(bytes), ending
    end

    it("goaway-after-2 answers two, ignores the third and closes", function()
      local seen, ending = talk_many("goaway-after-2", "slow-20", 3)
      assert.equal("GOAWAY:0:0:3 HEADERS:1 DATA:1 HEADERS:3 DATA:3", seen)
      assert.equal("close", ending)
      assert.equal(2, server:tally().requests)
    end)

    it("hangup-after-2 answers two, and closes without a word to the third", function()
      local seen, ending = talk_many("hangup-after-2", "slow-20", 3)
      assert.equal("HEADERS:1 DATA:1 HEADERS:3 DATA:3", seen)
      assert.equal("close", ending)
      assert.equal(3, server:tally().requests)
    end)

    it("streams-1 refuses a second stream beside the first, streams-0 every one", function()
      assert.equal("RST_STREAM:3:7 HEADERS:1 DATA:1", (talk_many("streams-1", "slow-20", 2)))
      assert.equal("RST_STREAM:1:7", (talk_many("streams-0", "ok", 1)))
      assert.equal(1, server:tally().requests)
    end)

    it("streams-later-0 answers the first stream and refuses what comes then", function()
      server:arm("streams-later-0")
      local connection = open("ok")
      assert.equal("HEADERS:1 DATA:1", words((read_all(connection))))
      connection:clearerr()
      send(connection, 3, "ok")
      assert.equal("RST_STREAM:3:7", words((read_all(connection))))
      connection:close()
      assert.equal(1, server:tally().requests)
    end)

    it("window-goaway-1, window-close-1 and window-reset-1 answer one of two, and end", function()
      for fault, ending in pairs { ["window-goaway-1"] = "close", ["window-close-1"] = "close", ["window-reset-1"] = "reset" } do
        server:arm(fault)
        local connection = open("ok", "ok")
        local bytes, seen = read_all(connection, 1)
        connection:close()
        assert.equal("HEADERS:1 DATA:1" .. (fault == "window-goaway-1" and " GOAWAY:0:0:3" or ""), words(bytes))
        assert.equal(ending, seen)
      end
      assert.equal(6, server:tally().requests)
    end)

    it("stall-at-2 reads on when it is told to", function()
      server:arm("stall-at-2")
      local connection = open("ok", "ok")
      assert.equal("HEADERS:1 DATA:1", words((read_all(connection))))
      assert.equal(1, server:tally().requests)
      server:resume()
      connection:clearerr()
      assert.equal("HEADERS:3 DATA:3", words((read_all(connection))))
      connection:close()
    end)

    it("dead-connection dies at the second stream", function()
      local connection = open("dead-connection")
      assert.equal("HEADERS:1 DATA:1", words((read_all(connection))))
      connection:clearerr()
      send(connection, 3, "dead-connection")
      local bytes, ending = read_all(connection)
      connection:close()
      assert.equal("", words(bytes))
      assert.equal("close", ending)
      assert.equal(2, server:tally().requests)
    end)

    it("one-stream-at-a-time refuses the second", function()
      server:arm("one-stream-from-start")
      local connection = open("slow-50", "ok")
      assert.equal("RST_STREAM:3:7 HEADERS:1 DATA:1", words((read_all(connection))))
      connection:close()
      assert.equal(1, server:tally().requests)
    end)

    it("closes with 30 streams open", function()
      local many = server:url("https") .. path("close-at-streams-30") .. "?[1-30]"
      curl(server, "-Z --parallel-max 50 -o /dev/null '" .. many .. "'")
      local counts = server:tally()
      assert.equal(30, counts.requests)
      assert.equal(1, counts.connections)
    end)

    it("sends 2 MiB within the client's windows, and takes large heads", function()
      local size = "-o /dev/null -w '%{size_download}' "
      assert.is_true(tonumber(curl(server, size .. server:url("https") .. path("big-body")):match("%d+")) > 2 ^ 21)
      local padding = ("-H 'x-padding: %s' "):format(("p"):rep(20000))
      assert.matches('{"id".*exit=0', curl(server, padding .. server:url("https") .. path("ok")))
    end)
  end)

  describe("for what a client has to go through", function()
    it("close-at-3 answers two requests of a connection", function()
      local connection = connect(server)
      for _ = 1, 2 do
        post(connection, "close-at-3")
        assert.matches("^HTTP/1.1 200", (read_reply(connection)))
      end
      post(connection, "close-at-3")
      local reply, ending = read_all(connection)
      connection:close()
      assert.equal("", reply)
      assert.equal("close", ending)
      assert.equal(3, server:tally().requests)
    end)

    -- A head that says who it is, and no body.
    local function post_head(connection, behaviour, number)
      connection:write((REQUEST:format(behaviour, #BODY, ""):gsub("\r\n",
        ("\r\ntraceparent: 00-%032x-%016x-01\r\n"):format(number, number), 1)))
    end

    it("early-413 wants no body", function()
      local connection = connect(server)
      post_head(connection, "early-413", 1)
      local reply, ending = read_all(connection)
      connection:close()
      assert.matches("^HTTP/1.1 413 .*\r\nconnection: close\r\n", reply)
      assert.equal("close", ending)
      assert.equal(0, server:tally().requests)
    end)

    it("counts heads by their traceparent, and apart those that were not refused", function()
      for number, behaviour in pairs { [10] = "close-after-head", [31] = "early-429", [32] = "early-503" } do
        local connection = connect(server)
        post_head(connection, behaviour, number)
        read_all(connection)
        connection:close()
      end
      local tally = server:tally()
      assert.same({ ["10"] = 1, ["31"] = 1, ["32"] = 1 }, tally.begun)
      assert.same({ ["10"] = 1, ["32"] = 1 }, tally.touched)
    end)

    it("stall-20 reads the body when it is told to", function()
      local connection = connect(server)
      post(connection, "stall-20")
      assert.equal("", (read_all(connection)))
      assert.equal(0, server:tally().requests)
      server:resume()
      connection:clearerr()
      assert.matches("^HTTP/1.1 200", (read_reply(connection)))
      connection:close()
    end)

    it("a frozen relay keeps what is open, and lets others through", function()
      local frozen = connect(server, "relay_http")
      post(frozen, "ok")
      assert.matches("^HTTP/1.1 200", (read_reply(frozen)))
      assert.equal(1, server:freeze())
      post(frozen, "ok")
      local reply, ending = read_all(frozen)
      assert.equal("", reply)
      assert.equal("silence", ending)
      local other = connect(server, "relay_http")
      post(other, "ok")
      assert.matches("^HTTP/1.1 200", (read_reply(other)))
      frozen:close()
      other:close()
      assert.equal(2, server:last_tally().requests)
    end)

    it("an outage resets, refuses, and is over on the same port", function()
      local connection = connect(server)
      post(connection, "ok")
      assert.matches("^HTTP/1.1 200", (read_reply(connection)))
      server:go_away()
      assert.equal("reset", (select(2, read_all(connection))))
      connection:close()
      assert.matches("exit=7", curl(server, server:url("http") .. path("ok")))
      server:come_back()
      assert.matches("exit=0", curl(server, server:url("http") .. path("ok")))
      server:go_away(0.05)
      cqueues.sleep(0.2)
      assert.matches("exit=0", curl(server, server:url("https") .. path("ok")))
    end)

    it("a fault can be armed for a time", function()
      local from = cqueues.monotime()
      server:arm_for("503", 0.3)
      repeat
        local reply = exchange(server, "ok")
        assert.matches("^HTTP/1.1 [25]0[03]", reply)
      until reply:find("^HTTP/1.1 200")
      assert(cqueues.monotime() - from >= 0.3)
      assert.is_true(server:tally().requests >= 1)
    end)
  end)

  it("answers 1000 connections at once, each ten times", function()
    local loop, answered = cqueues.new(), 0
    for _ = 1, 1000 do
      loop:wrap(function()
        local connection = connect(server)
        for _ = 1, 10 do
          post(connection, "ok")
          local reply = read_reply(connection)
          answered = answered + (reply:find("^HTTP/1.1 200") and 1 or 0)
        end
        connection:close()
      end)
    end
    assert(loop:loop())
    assert.equal(10000, answered)
    assert.same({ one = 10000 }, server:tally().by_key)
    assert.equal(10000, #cjson.decode(cjson.encode(server:counts().bodies)))
  end)
end)
