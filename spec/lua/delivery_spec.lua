-- At most once, against a real misbehaving server that counts what it received.

local cqueues = require "cqueues"
local safe = require "connectly.safe"
local faults = require "spec.support.faults"

local hello = { number = "+14155550123", template_name = "x", language = "en", callback_data = "first" }

local function numbered(number)
  local message = {}
  for key, value in pairs(hello) do
    message[key] = value
  end
  message.callback_data = "message " .. number
  return message
end

describe("delivery", function()
  local server = faults.serve()

  local function new(behaviour, port, changes)
    local options = {
      api_key = "key", business_id = behaviour, base_url = server:url(port), ca_file = server.ca_file,
      timeout = 10, max_attempts = 1,
    }
    for name, value in pairs(changes or {}) do
      options[name] = value
    end
    return assert(safe.new(options))
  end

  -- libcurl repeats a POST by itself when a kept connection dies before the
  -- reply: the server would then have the second message twice, and the caller
  -- would see one success.
  for _, row in ipairs {
    { "dead-connection", "http" }, { "dead-connection", "https", { http2 = false } },
    { "dead-connection", "https" }, { "dead-connection-reset", "http" },
    { "dead-connection-reset", "https", { http2 = false } }, { "dead-connection-reset", "https" },
  } do
    it(("once on a kept connection that dies: %s, %s, %s"):format(row[1], row[2], row[3] and "HTTP/1.1" or "default"),
      function()
        local client = new(row[1], row[2], row[3])
        assert.truthy(client:send_template(numbered(1)))
        local id, err = client:send_template(numbered(2))
        assert.is_nil(id)
        assert.equal("network", err.kind)
        assert.equal("unknown", err.outcome)
        assert.is_false(err.retryable)
        local counts = server:counts()
        assert.equal(1, counts.by_key["message 1"])
        assert.equal(1, counts.by_key["message 2"])
        assert.equal(2, counts.requests)
      end)
  end

  it("once when the server takes a stream back that it has read", function()
    local id, err = new("refused-stream-after-request", "https"):send_template(hello)
    assert.is_nil(id)
    assert.equal("unknown", err.outcome)
    assert.equal(1, server:tally().requests)
  end)

  it("of a message that follows a closed idle connection succeeds, once", function()
    local client = new("close-idle", "http")
    assert.truthy(client:send_template(numbered(1)))
    local id, err = client:send_template(numbered(2))
    local counts = server:counts()
    if id then
      assert.equal(1, counts.by_key["message 2"])
    else
      assert.truthy(err.outcome == "unknown" or not counts.by_key["message 2"])
    end
  end)

  -- What came on a kept connection before a request left is not its reply, and the
  -- message goes another way at once.
  for _, behaviour in ipairs {
    "unasked-later", "unasked-at-once", "unasked-behind", "408-later-close", "408-later-cut", "408-later-silence",
  } do
    for _, row in ipairs { { "http" }, { "https1" }, { "https", { http2 = false } } } do
      for _, mode in ipairs { "inline", "courier" } do
        it(("of a message that meets what was not for it: %s, %s, %s"):format(behaviour, row[1], mode), function()
          local client = new(behaviour, row[1], row[2])
          for number = 1, 3 do
            local id, info
            if mode == "inline" then
              id, info = client:send_template(numbered(number))
            else
              id, info = client:start("send_template", numbered(number)):wait(10)
            end
            assert.truthy(id, tostring(info))
            assert.not_equal("unasked", id)
            assert.equal(1, info.attempts)
            cqueues.sleep(0.1)
          end
          client:close(0)
          local counts = server:counts()
          assert.equal(3, counts.requests)
          assert.equal(3, counts.connections)
        end)
      end
    end
  end

  -- behaviour, port, kind, outcome, whether the server has it
  local rows = {
    { "close-after-request", "http", "network", "unknown", true },
    { "reset-after-request", "https", "network", "unknown", true },
    { "close-after-head", "http", "network", "unknown", false },
    { "close-in-body", "https", "network", "unknown", true },
    { "close-in-status-line", "http", nil, "unknown", true },
    { "301", "https", "protocol", "rejected", true },
    { "307", "https", "protocol", "rejected", true },
    { "gzip-bomb", "https", "protocol", "unknown", true },
    { "big-body", "https", "protocol", "unknown", true },
    { "big-header", "https", nil, "unknown", true },
    { "deep-nesting", "http", "protocol", "unknown", true },
    { "500", "https", "server", "unknown", true },
    { "429", "https", "rate_limited", "not_sent", true },
  }
  for _, row in ipairs(rows) do
    it(("%s on %s: %s, %s"):format(row[1], row[2], tostring(row[3]), row[4]), function()
      local id, err = new(row[1], row[2]):send_template(hello)
      assert.is_nil(id)
      assert.equal(row[3] or err.kind, err.kind)
      assert.equal(row[4], err.outcome)
      local tally = server:tally()
      assert.equal(row[5] and 1 or 0, tally.requests)
      assert.equal(0, tally.elsewhere)
    end)
  end

  it("of nothing when nobody listens, and it is said so", function()
    local _, err = new("ok", "refused"):send_template(hello)
    assert.equal("network", err.kind)
    assert.equal("not_sent", err.outcome)
    assert.is_true(err.retryable)
  end)

  for _, port in ipairs { "wrong_host", "expired", "unknown_ca", "tls11", "handshake_cut" } do
    it("of nothing through TLS that is not right: " .. port, function()
      local _, err = new("ok", port):send_template(hello)
      assert.equal("network", err.kind)
      assert.equal("not_sent", err.outcome)
      assert.equal(0, server:tally().requests)
    end)
  end

  it("of nothing when the handshake never ends", function()
    local options = { connect_timeout = 0.2 }
    local client = assert(safe.new {
      api_key = "k", business_id = "ok", base_url = server:url("silent", "https"), timeout = 5,
      connect_timeout = options.connect_timeout, max_attempts = 1,
    })
    local _, err = client:send_template(hello)
    assert.equal("network", err.kind)
    assert.equal("not_sent", err.outcome)
  end)

  it("of nothing when the budget ends before the connection stands", function()
    local client = assert(safe.new {
      api_key = "k", business_id = "ok", base_url = server:url("silent", "https"), timeout = 0.2,
    })
    local _, err = client:send_template(hello)
    assert.equal("timeout", err.kind)
    assert.equal("not_sent", err.outcome)
    assert.is_true(err.retryable)
  end)
end)
