-- Every way in which a server can fail, over TCP and TLS, HTTP/1.1 and HTTP/2,
-- with the engine in the caller's thread and with the courier. No row delivers
-- twice; a row that delivered says success or unknown, never not_sent.

local safe = require "connectly.safe"
local expected = require "spec.support.fault.expected"
local faults = require "spec.support.faults"

local ports = { http = "HTTP/1.1", https1 = "TLS, HTTP/1.1", https = "TLS, HTTP/2" }

local function message(key)
  return { number = "+14155550123", template_name = "x", language = "en", callback_data = key }
end

local function describe_result(id, err)
  if id then
    return "ok"
  end
  return ("%s, %s, %d attempts: %s"):format(err.kind, err.outcome, err.attempts, tostring(err))
end

local function fits(expectation, id, err, deliveries)
  if expectation.deliveries ~= deliveries then
    return false
  end
  if not expectation.kind then
    return id ~= nil
  end
  return id == nil and err.kind == expectation.kind and err.outcome == expectation.outcome
    and err.attempts == expectation.attempts
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
      ca_file = server.ca_file, timeout = is_slow and (patience or 0.5) or 10, max_attempts = 2, rate = 100000,
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

  for port, protocol in pairs(ports) do
    it("holds with the courier over " .. protocol, function()
      local started = start_all(port)
      local results = {}
      for name, entry in pairs(started) do
        results[name] = { entry.call:wait(15) }
        entry.client:close(0)
      end
      local accepted = server:tally().accepted
      for name, result in pairs(results) do
        check(name, port, result[1], result[2], accepted[name] or 0)
      end
    end)

    it("holds in the caller's thread over " .. protocol, function()
      local results = {}
      for name, row in pairs(rows) do
        -- A 429 makes a client wait a second: once, not on every port.
        local is_applied = applies(row, port) and (port == "https" or not name:find("^429%-"))
        if row.place == "request" and is_applied then
          local client = client_for(name, port)
          if needs_first(name) then
            assert(client:send_template(message(name .. " before")))
          end
          results[name] = { client:send_template(message(name)) }
          client:close()
        end
      end
      local accepted = server:tally().accepted
      for name, result in pairs(results) do
        check(name, port, result[1], result[2], accepted[name] or 0)
      end
    end)

    it("holds for connections that fail over " .. protocol, function()
      for name, row in pairs(rows) do
        if row.place == "connection" and applies(row, port) then
          for _, mode in ipairs { "inline", "courier" } do
            server:reset()
            server:arm(name, 2)
            local client = client_for(name, port)
            local id, err
            if mode == "inline" then
              id, err = client:send_template(message(name))
            else
              id, err = client:start("send_template", message(name)):wait(15)
            end
            client:close(0)
            check(name, port, id, err, server:tally().accepted[name] or 0)
          end
        end
      end
    end)
  end

  -- What fails before the server sees a request: port, kind, attempts of two.
  for _, row in ipairs {
    { "refused", "network", 2 }, { "wrong_host", "network", 2 }, { "expired", "network", 2 },
    { "unknown_ca", "network", 2 }, { "tls11", "network", 2 }, { "handshake_cut", "network", 2 },
    { "silent", "timeout", 1 },
  } do
    for _, mode in ipairs { "inline", "courier" } do
      it(("says not_sent where nothing could be: %s, %s"):format(row[1], mode), function()
        local client = assert(safe.new {
          api_key = "key", business_id = "ok", base_url = server:url(row[1], "https"), ca_file = server.ca_file,
          timeout = row[1] == "silent" and 0.3 or 10, max_attempts = 2,
        })
        local id, err
        if mode == "inline" then
          id, err = client:send_template(message("x"))
        else
          id, err = client:start("send_template", message("x")):wait(15)
        end
        assert.is_nil(id)
        assert.equal(row[2], err.kind)
        assert.equal("not_sent", err.outcome)
        assert.equal(row[3], err.attempts)
        assert.is_true(err.retryable)
        assert.equal(0, server:tally().requests)
        client:close(0)
      end)
    end
  end

  it("says not_sent of a name that does not resolve", function()
    local client = assert(safe.new {
      api_key = "key", business_id = "ok", base_url = "https://nowhere.invalid", timeout = 5, max_attempts = 1,
    })
    local _, err = client:send_template(message("x"))
    assert.equal("not_sent", err.outcome)
    assert.truthy(err.kind == "network" or err.kind == "timeout")
  end)

  it("repeats a failed connection and then succeeds, delivered once", function()
    for _, mode in ipairs { "inline", "courier" } do
      server:reset()
      server:arm("reset-before-reading", 1)
      local client = client_for("ok", "https")
      local id, info
      if mode == "inline" then
        id, info = client:send_template(message("again"))
      else
        id, info = client:start("send_template", message("again")):wait(15)
      end
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
end)

describe("random faults", function()
  local server

  setup(function() server = faults.start() end)
  teardown(function() server:stop() end)

  -- Twenty seeds of 500: ten thousand messages.
  for seed = 1, 20 do
    it("never double, never lie: seed " .. seed, function()
      server:reset()
      local port = ({ "https", "https1", "http" })[seed % 3 + 1]
      local client = assert(safe.new {
        api_key = "key", business_id = "quick-random-" .. seed, base_url = server:url(port), ca_file = server.ca_file,
        timeout = 10, rate = 100000, max_attempts = 2,
      })
      if seed % 2 == 0 then
        assert(client:start("send_template", message("the courier takes over")):wait(15) ~= false)
      end
      local sent, said = 0, {}
      for result in client:send_many(function()
        sent = sent + 1
        return sent <= 500 and message("message " .. sent) or nil
      end, { in_flight = 32 }) do
        assert(not said[result.index], "one result a message")
        said[result.index] = result.id and "success" or result.error.outcome
      end
      local accepted = server:tally().accepted
      for index = 1, 500 do
        local deliveries = accepted["message " .. index] or 0
        assert(said[index], "no result for message " .. index)
        assert(deliveries <= 1, "message " .. index .. " was delivered twice")
        assert(said[index] ~= "success" or deliveries == 1, "message " .. index .. " did not arrive")
        assert(said[index] ~= "not_sent" or deliveries == 0, "message " .. index .. " arrived")
      end
      client:close(0)
    end)
  end
end)
