-- Every way in which a server can fail, over TCP and TLS, HTTP/1.1 and HTTP/2,
-- with the engine in the caller's thread and with the courier. No row delivers
-- twice; a row that delivered says success or unknown, never not_sent.

local safe = require "connectly.safe"
local expected = require "spec.support.fault.expected"
local faults = require "spec.support.faults"

local running = os.getenv("CONNECTLY_SPEC_LUA") or "lua5.4"
local clock = require("cqueues").monotime

local ports = { http = "HTTP/1.1", https1 = "TLS, HTTP/1.1", https = "TLS, HTTP/2" }

local function message(key)
  return { number = "+14155550123", template_name = "x", language = "en", callback_data = key }
end

--- Sends one message in the caller's thread or with the courier.
local function send(client, mode, key)
  if mode == "inline" then
    return client:send_template(message(key))
  end
  return client:start("send_template", message(key)):wait(15)
end

local function describe_result(id, err)
  if id then
    return ("ok, %d attempts"):format(err.attempts)
  end
  return ("%s, %s, %d attempts: %s"):format(err.kind, err.outcome, err.attempts, tostring(err))
end

--- `second` is what a success or a failure comes with; both say how many attempts.
local function fits(expectation, id, second, deliveries)
  if expectation.deliveries ~= deliveries or expectation.attempts ~= second.attempts then
    return false
  end
  if not expectation.kind then
    return id ~= nil
  end
  return id == nil and second.kind == expectation.kind and second.outcome == expectation.outcome
end

local function check(name, port, id, err, deliveries)
  local row = expected[name]
  local said = describe_result(id, err) .. (" with %d deliveries"):format(deliveries)
  -- What holds for every row.
  assert(deliveries <= 1, name .. " delivered twice: " .. said)
  assert(not id or deliveries == 1, name .. " says success and did not deliver")
  assert(id or err.outcome ~= "not_sent" or deliveries == 0, name .. " delivered, and says: " .. said)
  for _, expectation in ipairs(row.ports and row.ports[port] or row) do
    if fits(expectation, id, err, deliveries) then
      return
    end
  end
  error(name .. " on " .. port .. " is not as expected: " .. said, 0)
end

describe("the fault table", function()
  local server, rows

  setup(function()
    server = faults.start()
    rows = server:behaviours()
  end)

  teardown(function() server:stop() end)
  before_each(function() server:reset() end)

  -- `patience`: seconds for a row that never ends; more where a hundred handshakes
  -- are made at once.
  local function client_for(name, port, patience)
    local row = rows[name]
    local is_slow = row.waits or name:find("silence", 1, true)
    return assert(safe.new {
      api_key = "key", business_id = row.place == "connection" and "ok" or name, base_url = server:url(port),
      ca_file = server.ca_file, timeout = is_slow and (patience or 0.3) or 10, max_attempts = 2, rate = 100000,
    })
  end

  local function applies(row, port)
    return not row.only or (row.only == "http2") == (port == "https")
  end

  -- These need a connection that was used before.
  local function needs_first(name)
    return name:find("^dead") or name:find("idle$")
  end

  it("has a row for every behaviour", function()
    for name in pairs(rows) do
      assert.truthy(expected[name], name)
    end
    for name in pairs(expected) do
      assert.truthy(rows[name], name)
    end
  end)

  -- All at once: each has a client and a key of its own.
  local function start_all(port)
    local started = {}
    for name, row in pairs(rows) do
      if row.place == "request" and applies(row, port) then
        local client = client_for(name, port, 2)
        if needs_first(name) then
          assert(client:start("send_template", message(name .. " before")):wait(10))
        end
        started[name] = { client = client, call = assert(client:start("send_template", message(name))) }
      end
    end
    return started
  end

  --- Of each behaviour; and a redirect was not followed by any.
  local function check_all(port, results)
    local tally = server:last_tally()
    for name, result in pairs(results) do
      check(name, port, result[1], result[2], tally.accepted[name] or 0)
    end
    assert.equal(0, tally.elsewhere)
  end

  for port, protocol in pairs(ports) do
    it("holds with the courier over " .. protocol, function()
      local started = start_all(port)
      local results = {}
      for name, entry in pairs(started) do
        results[name] = { entry.call:wait(15) }
        entry.client:close(0)
      end
      check_all(port, results)
    end)

    it("holds in the caller's thread over " .. protocol, function()
      local results = {}
      for name, row in pairs(rows) do
        -- A 429 makes a client wait a second: in each version of HTTP once is enough.
        local is_applied = applies(row, port) and (port ~= "https1" or not name:find("^429%-"))
        if row.place == "request" and is_applied then
          local client = client_for(name, port)
          if needs_first(name) then
            assert(client:send_template(message(name .. " before")))
          end
          results[name] = { client:send_template(message(name)) }
          client:close()
        end
      end
      check_all(port, results)
    end)

    it("holds for connections that fail over " .. protocol, function()
      for name, row in pairs(rows) do
        if row.place == "connection" and applies(row, port) then
          for _, mode in ipairs { "inline", "courier" } do
            server:reset()
            server:arm(name, 2)
            local client = client_for(name, port)
            local id, err = send(client, mode, name)
            client:close(0)
            check(name, port, id, err, server:tally().accepted[name] or 0)
          end
        end
      end
    end)
  end

  -- What fails before the server sees a request: port, kind, attempts of two. A
  -- certificate that cannot be verified is not tried again.
  for _, row in ipairs {
    { "refused", "network", 2 }, { "wrong_host", "network", 1, "ca_file" }, { "expired", "network", 1, "ca_file" },
    { "unknown_ca", "network", 1, "ca_file" }, { "tls11", "network", 2 }, { "handshake_cut", "network", 2 },
    { "silent", "timeout", 1 },
  } do
    for _, mode in ipairs { "inline", "courier" } do
      it(("says not_sent where nothing could be: %s, %s"):format(row[1], mode), function()
        local client = assert(safe.new {
          api_key = "key", business_id = "ok", base_url = server:url(row[1], "https"), ca_file = server.ca_file,
          timeout = row[1] == "silent" and 0.3 or 10, max_attempts = 2,
        })
        local id, err = send(client, mode, "x")
        assert.is_nil(id)
        assert.equal(row[2], err.kind)
        assert.equal("not_sent", err.outcome)
        assert.equal(row[3], err.attempts)
        assert.equal(row[4] == nil, err.retryable)
        assert.equal(row[4] ~= nil, err.hint:find("ca_file", 1, true) ~= nil)
        assert.equal(0, server:tally().requests)
        client:close(0)
      end)
    end
  end

  for _, mode in ipairs { "inline", "courier" } do
    it("says not_sent of a name that does not resolve: " .. mode, function()
      local client = assert(safe.new {
        api_key = "key", business_id = "ok", base_url = "https://nowhere.invalid", timeout = 5, max_attempts = 1,
      })
      local _, err = send(client, mode, "x")
      assert.equal("not_sent", err.outcome)
      assert.truthy(err.kind == "network" or err.kind == "timeout")
      client:close(0)
    end)

    -- One accepts and is silent, of the other not even TCP hears.
    for _, port in ipairs { "silent", "dropped" } do
      it(("says not_sent where connecting takes too long: %s, %s"):format(port, mode), function()
        local client = assert(safe.new {
          api_key = "key", business_id = "ok", base_url = server:url(port, "https"), timeout = 5, connect_timeout = 0.2,
          max_attempts = 2,
        })
        local from = clock()
        local _, err = send(client, mode, "x")
        assert.equal("network", err.kind)
        assert.equal("not_sent", err.outcome)
        assert.equal(2, err.attempts)
        assert.is_true(clock() - from < 3)
        client:close(0)
      end)

      it(("says not_sent where time runs out while connecting: %s, %s"):format(port, mode), function()
        local client = assert(safe.new {
          api_key = "key", business_id = "ok", base_url = server:url(port, "http"), timeout = 0.3, max_attempts = 2,
        })
        local _, err = send(client, mode, "x")
        assert.equal("timeout", err.kind)
        -- Without TLS the request leaves as soon as TCP stands.
        assert.equal(port == "silent" and "unknown" or "not_sent", err.outcome)
        assert.equal(1, err.attempts)
        client:close(0)
      end)
    end
  end

  --- All at once; what became of each by its key.
  local function send_all(client, mode, count)
    local results = {}
    local function key(index) return "message " .. index end
    if mode == "inline" then
      local list = {}
      for index = 1, count do
        list[index] = message(key(index))
      end
      for result in client:send_many(list, { in_flight = count }) do
        results[key(result.index)] = { result.id, result.error or result.info }
      end
      return results
    end
    local calls = {}
    for index = 1, count do
      calls[index] = assert(client:start("send_template", message(key(index))))
    end
    for index = 1, count do
      results[key(index)] = { calls[index]:wait(15) }
    end
    return results
  end

  for _, mode in ipairs { "inline", "courier" } do
    for _, ending in ipairs { "close", "reset" } do
      it(("is in doubt about all 30 streams of a connection that ends: %s, %s"):format(ending, mode), function()
        local client = assert(safe.new {
          api_key = "key", business_id = ending .. "-at-streams-30", base_url = server:url("https"),
          ca_file = server.ca_file, timeout = 10, max_attempts = 2, rate = 100000,
        })
        local results, count = send_all(client, mode, 30), 0
        client:close(0)
        local tally = server:last_tally()
        for key, result in pairs(results) do
          count = count + 1
          assert.is_nil(result[1])
          assert.equal("network", result[2].kind)
          assert.equal("unknown", result[2].outcome)
          assert.equal(1, result[2].attempts)
          assert.equal(1, tally.accepted[key])
        end
        assert.equal(30, count)
        assert.equal(30, tally.requests)
        -- All waited for the first to tell what it speaks. libcurl made another to
        -- repeat on, and was not let.
        assert.is_true(tally.connections <= 2)
      end)
    end

    it("keeps to a server's limit of one stream: " .. mode, function()
      server:arm("one-stream-from-start", 1)
      local client = assert(safe.new {
        api_key = "key", business_id = "slow-40", base_url = server:url("https"), ca_file = server.ca_file,
        timeout = 10, max_attempts = 2, rate = 100000, max_connections = 1,
      })
      assert.truthy(send(client, mode, "the settings come"))
      local from = clock()
      local results = send_all(client, mode, 8)
      assert.is_true(clock() - from >= 8 * 0.04) -- one after the other
      client:close(0)
      local tally = server:last_tally()
      for key, result in pairs(results) do
        assert.truthy(result[1], tostring(result[2]))
        assert.equal(1, result[2].attempts)
        assert.equal(1, tally.accepted[key])
      end
      assert.equal(9, tally.requests)
      assert.equal(1, tally.connections)
    end)

    -- The settings come when several streams may have begun already.
    it("delivers none twice when the limit comes late: " .. mode, function()
      server:arm("one-stream-from-start", 1000)
      local client = assert(safe.new {
        api_key = "key", business_id = "slow-20", base_url = server:url("https"), ca_file = server.ca_file,
        timeout = 10, max_attempts = 3, rate = 100000,
      })
      local results = send_all(client, mode, 20)
      client:close(0)
      local tally = server:last_tally()
      for key, result in pairs(results) do
        local deliveries = tally.accepted[key] or 0
        assert.is_true(deliveries <= 1)
        assert.is_true(not result[1] or deliveries == 1)
        assert.is_true(result[1] ~= nil or result[2].outcome ~= "not_sent" or deliveries == 0)
      end
    end)
  end

  -- OpenSSL refuses TLS 1.1 by itself; one that is told to take all, by its
  -- configuration, leaves it to us.
  it("keeps to TLS 1.2 though OpenSSL be told otherwise", function()
    local configuration, script = os.tmpname(), os.tmpname()
    local function write(path, text)
      local file = assert(io.open(path, "w"))
      file:write(text)
      file:close()
    end
    write(configuration, [[
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = lax
[lax]
MinProtocol = TLSv1
CipherString = DEFAULT@SECLEVEL=0
]])
    write(script, [[
      local client = require("connectly.safe").new {
        api_key = "k", business_id = "ok", base_url = arg[1], ca_file = arg[2], max_attempts = 1,
      }
      local id, err = client:send_template { number = "+14155550123", template_name = "x", language = "en" }
      print(id and "sent" or err.kind .. " " .. err.outcome)
    ]])
    local function output_of(command, ...)
      local pipe = assert(io.popen("OPENSSL_CONF=" .. configuration .. " " .. command:format(...)))
      local text = pipe:read("*a")
      pipe:close()
      return text
    end
    local url = server:url("tls11")
    -- That it is left to us is seen by a client that allows it.
    local allowed = output_of("curl -s -o /dev/null -w '%%{http_code}' --tlsv1.1 --cacert %s -d x=y %s/v1/businesses/ok/send",
      server.ca_file, url)
    local ours = output_of("%s %s %s %s", running, script, url, server.ca_file)
    os.remove(configuration)
    os.remove(script)
    assert.equal("200", allowed)
    assert.equal("network not_sent\n", ours)
    assert.equal(1, server:tally().requests)
  end)

  it("repeats a failed connection and then succeeds, delivered once", function()
    for _, mode in ipairs { "inline", "courier" } do
      server:reset()
      server:arm("reset-before-reading", 1)
      local client = client_for("ok", "https")
      local id, info = send(client, mode, "again")
      assert.truthy(id, tostring(info))
      assert.equal(2, info.attempts)
      assert.equal(1, server:tally().accepted.again)
      client:close(0)
    end
  end)

  it("repeats after 429 as long as Retry-After says", function()
    server:arm("429-seconds", 1)
    local client = client_for("ok", "https")
    local id, info = client:send_template(message("later"))
    assert.truthy(id, tostring(info))
    assert.equal(2, info.attempts)
    assert.is_true(info.elapsed >= 1)
  end)

  it("repeats what may have arrived only when it is asked to", function()
    for _, behaviour in ipairs { "500", "reset-after-request", "close-in-body" } do
      server:reset()
      server:arm(behaviour, 1)
      local client = assert(safe.new {
        api_key = "key", business_id = "ok", base_url = server:url("https"), ca_file = server.ca_file, timeout = 10,
        retry_unknown = true,
      })
      local id, info = client:send_template(message("at least once"))
      assert.truthy(id, tostring(info))
      assert.equal(2, info.attempts)
      assert.equal(2, server:tally().accepted["at least once"])
      client:close(0)
    end
  end)

  it("says unknown of a call whose first attempt may have arrived, whatever became of the last", function()
    server:arm("500", 1)
    local client = assert(safe.new {
      api_key = "key", business_id = "400", base_url = server:url("https"), ca_file = server.ca_file, timeout = 10,
      retry_unknown = true,
    })
    local _, err = client:send_template(message("x"))
    assert.equal("rejected", err.kind)
    assert.equal("unknown", err.outcome)
    assert.equal(2, err.attempts)
    assert.is_false(err.retryable)
  end)

  it("keeps to one budget, whatever the server asks for", function()
    local client = assert(safe.new {
      api_key = "key", business_id = "429-seconds-3600", base_url = server:url("https"), ca_file = server.ca_file,
      timeout = 2,
    })
    local _, err = client:send_template(message("x"))
    assert.equal("rate_limited", err.kind)
    assert.equal(1, err.attempts)
    assert.equal(3600, err.retry_after)
  end)

  for _, how in ipairs { "inline", "on the worker" } do
    local function stopped_client(seconds)
      server:reset()
      local client = assert(safe.new {
        api_key = "key", business_id = "slow-100", base_url = server:url("https"), ca_file = server.ca_file, timeout = 5,
      })
      assert(client:send_template(message("before")))
      if how == "on the worker" then
        assert(client:start("send_template", message("background")):wait())
      end
      server:arm("429-seconds-" .. seconds, 1)
      return client
    end

    it("keeps a list back while a 429 stops its client, " .. how, function()
      local client = stopped_client(8)
      local list, seen, failed, began = {}, 0, 0, clock()
      for index = 1, 200 do
        list[index] = message("m" .. index)
      end
      for result in client:send_many(list, { in_flight = 8 }) do
        seen = seen + 1
        if result.error then
          failed = failed + 1
          assert.equal("rate_limited", result.error.kind, tostring(result.error))
          assert.equal("not_sent", result.error.outcome)
        end
      end
      assert.equal(200, seen)
      assert.is_true(failed >= 1 and failed <= 8, failed .. " of 200 were refused")
      assert.is_true(clock() - began >= 8)
      client:close(0)
    end)

    it("sees the end of a list although a 429 stops its client, " .. how, function()
      local client = stopped_client(30)
      local seen, began = 0, clock()
      for result in client:send_many({ message("only") }, { in_flight = 1 }) do
        seen = seen + 1
        assert.equal("rate_limited", result.error.kind)
      end
      assert.equal(1, seen)
      assert.is_true(clock() - began < 20)
      client:close(0)
    end)
  end

  it("ends a call at once that another one's 429 outlasts", function()
    local client = assert(safe.new {
      api_key = "key", business_id = "429-seconds-3600", base_url = server:url("https"), ca_file = server.ca_file,
    })
    local _, first = client:send_template(message("first"))
    assert.equal(1, first.attempts)
    for how, attempt in pairs {
      inline = function() return client:send_template(message("second")) end,
      worker = function() return client:start("send_template", message("third")):wait() end,
    } do
      local id, err = attempt()
      assert.is_nil(id)
      assert.equal("rate_limited", err.kind, how)
      assert.equal("not_sent", err.outcome, how)
      assert.equal(0, err.attempts, how)
      assert.is_true(err.retry_after > 3500 and err.retry_after <= 3600, how)
      assert.matches("the API answered 429: wait another 3[56]%d%d s; this call has %d+ s left", err.message)
    end
    assert.is_nil(server:tally().accepted.second)
    assert.equal(1, client:stats().attempts)
    client:close(0)
  end)
end)

-- Requests and connections that fail in every way, 429s, and silences that a client
-- has no patience for: twenty seeds of 500, ten thousand messages.
describe("random faults", function()
  local server
  local totals = { success = 0, not_sent = 0, rejected = 0, unknown = 0, timeout = 0, rate_limited = 0 }

  setup(function() server = faults.start() end)
  teardown(function() server:stop() end)

  local function count(result)
    local is_known = result.error and totals[result.error.kind]
    local outcome = result.id and "success" or result.error.outcome
    totals[outcome] = totals[outcome] + 1
    if is_known then
      totals[result.error.kind] = is_known + 1
    end
    return outcome
  end

  --- A client, and how many it should have in flight: in HTTP/2 one fault ends all
  --- that are on a connection.
  local function client_for(seed)
    local port = ({ "https", "https1", "http" })[seed % 3 + 1]
    local client = assert(safe.new {
      api_key = "key", business_id = "mixed-random-" .. seed, base_url = server:url(port), ca_file = server.ca_file,
      timeout = 0.3, connect_timeout = 0.15, rate = 100000, max_attempts = seed % 4 < 2 and 1 or 2,
    })
    return client, port == "https" and 16 or 32
  end

  local function arm(seed)
    server:reset()
    server:arm("faulty-connections-" .. seed, 1000000)
    if seed % 5 == 0 then
      server:arm("429-seconds", 1) -- all stop, and most run out of time
    end
  end

  for seed = 1, 20 do
    it("never double, never lie: seed " .. seed, function()
      arm(seed)
      local client, in_flight = client_for(seed)
      if seed % 2 == 0 then
        client:start("send_template", message("the courier takes over")):wait(15)
      end
      local sent, said = 0, {}
      for result in client:send_many(function()
        sent = sent + 1
        return sent <= 500 and message("message " .. sent) or nil
      end, { in_flight = in_flight }) do
        assert(not said[result.index], "one result a message")
        said[result.index] = count(result)
      end
      client:close(0)
      local accepted = server:last_tally().accepted
      for index = 1, 500 do
        local deliveries = accepted["message " .. index] or 0
        assert(said[index], "no result for message " .. index)
        assert(deliveries <= 1, "message " .. index .. " was delivered twice")
        assert(said[index] ~= "success" or deliveries == 1, "message " .. index .. " did not arrive")
        assert(said[index] ~= "not_sent" or deliveries == 0, "message " .. index .. " arrived")
      end
    end)
  end

  it("were of all kinds, so that this was proved of something", function()
    for _, name in ipairs { "success", "not_sent", "rejected", "unknown", "timeout" } do
      assert(totals[name] >= 300, ("%s: %d"):format(name, totals[name]))
    end
    assert(totals.rate_limited >= 50, "429s: " .. totals.rate_limited)
  end)
end)
