-- What an error says agrees with its outcome, and with what was done: transport.judge
-- holds that of every result of the transport specs; here are the cases that mix a kept
-- connection, which was lost, with a new one, which could not be made.

local cqueues = require "cqueues"
local transport = require "spec.support.transport"

local ALL = { "HTTP/1.1", "TLS, HTTP/1.1", "HTTP/2" }

-- What comes late to an idle connection has come by then.
local PAUSE = 0.1

describe("the text of an error", function()
  local server = transport.serve()

  after_each(function() server:come_back() end)

  for _, behaviour in ipairs { "ok", "close-idle", "408-later-close", "unasked-later" } do
    transport.each(ALL, { "start" }, function(port, mode, title)
      it(("agrees with its outcome when the server has gone: %s, %s"):format(behaviour, title), function()
        local client = transport.client(server, port, behaviour, { timeout = 0.5 })
        transport.send_each(client, mode, 1, 1)
        cqueues.sleep(PAUSE)
        server:go_away()
        local results = transport.send_each(client, mode, 2, 2)
        client:close(0)
        transport.judge(results, server:last_tally())
        for number, result in pairs(results) do
          assert(result.error, ("message %d succeeded"):format(number))
        end
        assert(results[3].error.outcome == "not_sent", tostring(results[3].error))
      end)
    end)
  end

  transport.each(ALL, transport.MODES, function(port, mode, title)
    it("agrees with its outcome when the server goes under many calls: " .. title, function()
      local client = transport.client(server, port, "slow-100", { timeout = 0.5 })
      transport.prepare(client, mode)
      local count = 0
      local results = transport.send(client, mode, 1, 100, { in_flight = 32, on_result = function()
        count = count + 1
        if count == 30 then
          server:go_away()
        end
      end })
      server:go_away()
      results = transport.join(results, transport.send(client, mode, 201, 20))
      client:close(0)
      transport.judge(results, server:last_tally())
    end)
  end)

  -- libcurl's own text is about the second try, which was refused to it.
  for _, behaviour in ipairs { "dead-connection", "dead-connection-reset" } do
    transport.each(ALL, transport.MODES, function(port, mode, title)
      it(("tells of the one request that was sent when a kept connection dies: %s, %s"):format(behaviour, title),
        function()
          local client = transport.client(server, port, behaviour, { timeout = 5 })
          transport.send_each(client, mode, 1, 1)
          local results = transport.send_each(client, mode, 2, 1)
          client:close(0)
          transport.judge(results, server:last_tally())
          assert.equal("unknown", results[2].error.outcome)
        end)
    end)
  end

  -- It would fail again: the certificate is what it is.
  for _, port in ipairs { "unknown_ca", "expired", "wrong_host" } do
    for _, mode in ipairs { "inline", "start" } do
      it(("of a certificate is not followed by another attempt: %s, %s"):format(port, mode), function()
        local client = transport.client(server, port, "ok", { max_attempts = 3 })
        local results = transport.send_each(client, mode, 1, 1)
        transport.judge(results, server:last_tally())
        assert.equal("not_sent", results[1].error.outcome)
        assert.equal(1, results[1].error.attempts)
      end)
    end
  end
end)
