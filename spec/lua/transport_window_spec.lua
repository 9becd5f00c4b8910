-- The window of an HTTP/2 connection is as small as the protocol has it by default, is
-- used up, and then the connection ends before anything was answered: part of a message
-- left, part of it waits in libcurl. No message arrives twice, whatever libcurl counted.

local transport = require "spec.support.transport"

local BURST, SIZE = 64, 1200

describe("a window of 64 KB", function()
  local server = transport.serve()

  --- Two bursts, of which `faulty` connections end as `fault` says.
  local function burst_twice(mode, fault, faulty)
    server:arm(fault, faulty)
    local client = transport.client(server, "https", "slow-20")
    transport.prepare(client, mode)
    local first = transport.send(client, mode, 1, BURST, { size = SIZE })
    local second = transport.send(client, mode, 1001, BURST, { size = SIZE })
    client:close(0)
    local tally = server:last_tally()
    return transport.judge(first, tally), transport.judge(second, tally), second
  end

  for _, ending in ipairs { "window-goaway", "window-close", "window-reset" } do
    for _, answered in ipairs { 2, 30 } do
      transport.each({ "HTTP/2" }, transport.MODES, function(_, mode, title)
        local fault = ending .. "-" .. answered

        it(("is used up, and the next connection is well: %s, %s"):format(fault, title), function()
          local first, second, results = burst_twice(mode, fault, 1)
          assert(first.unknown > 0 and first.success > 0)
          assert(second.success == BURST, transport.sample(results))
        end)

        it(("is used up again and again: %s, %s"):format(fault, title), function()
          local first = burst_twice(mode, fault, 1000)
          assert(first.unknown > 0) -- later ones may be none: the client learns how many a connection takes
        end)
      end)
    end
  end
end)
