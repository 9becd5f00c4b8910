-- What replies to campaigns mean, on each way to send them, and entries in chunks:
-- through the client, at a sandbox that answers as it is told. What the core makes
-- of a reply has its tables in spec/core/reply/sendouts_test.c; more of the way over HTTP is
-- in endpoints_spec.

local cjson = require "cjson"
local native = require "connectly.loader"
local errors = require "connectly.errors"
local safe = require "connectly.safe"
local sandboxes = require "spec.support.sandbox"

local TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

local function item(accepted, rejected, problem)
  return { acceptedCount = accepted, rejectedCount = rejected, error = problem }
end

local function entries(count)
  local list = {}
  for index = 1, count do
    list[index] = { number = ("+1415555%04d"):format(index), campaign_name = "w" }
  end
  return list
end

local sandbox

local function new_client(options)
  options = options or {}
  options.api_key, options.business_id = sandbox.api_key, sandbox.business_id
  options.base_url, options.timeout = sandbox.base_url, 20
  return assert(safe.new(options))
end

--- The next request for campaigns is answered so: with a table, or with a text as it is.
local function answer(reply, status)
  local body = type(reply) == "string" and reply or cjson.encode(reply)
  sandbox:reply { operation = "send_campaigns", status = status or 200, body = body }
end

-- Each way to send a request, and what comes of it: value, info; or nil, error.
local ways = {
  { "a call that is waited for", function(client, message) return client:send_campaigns(message) end },
  { "a call in the background", function(client, message) return client:start("send_campaigns", message):wait(20) end },
  { "send_many", function(client, message)
    local found
    for result in client:send_many({ message }, { operation = "send_campaigns" }) do
      found = result
    end
    return found.id, found.error or found.info
  end },
}

setup(function() sandbox = sandboxes.start() end)

teardown(function() sandbox:stop() end)

before_each(function() sandbox:reset() end)

for _, way in ipairs(ways) do
  describe("to " .. way[1] .. " a reply to campaigns", function()
    local client
    local send = way[2]

    setup(function() client = new_client() end)

    teardown(function() client:close() end)

    --- What a request with so many entries says of a reply.
    local function judge(reply, count, message)
      answer(reply)
      return send(client, message or { entries = entries(count) })
    end

    it("is a result when all was accepted", function()
      local result, info = judge({ data = { item(2, 0), item(3) } }, 5)
      assert.equal(5, result.accepted)
      assert.equal(0, result.rejected)
      assert.equal(2, #result.sendouts)
      assert.equal(3, result.sendouts[2].accepted)
      assert.same(item(3), result.sendouts[2].reply)
      assert.same({ 200, 1 }, { info.status, info.attempts })
    end)

    it("is an error when an entry was rejected, whatever its status", function()
      local result, err = judge({ data = { item(2, 1), item(3, 0) } }, 6)
      assert.is_nil(result)
      assert.is_true(errors.is_error(err))
      assert.equal("rejected", err.kind)
      assert.equal("unknown", err.outcome) -- five did go
      assert.is_false(err.retryable)
      assert.equal(1, err.result.rejected)
      assert.equal(5, err.result.accepted)
      assert.same({ 200, 1 }, { err.status, err.attempts })
      assert.same(item(2, 1), err.result.sendouts[1].reply)
      assert.equal("`result.sendouts` has what the API said of each campaign; repeat only what was not accepted", err.hint)
      assert.is_nil(err.body)
    end)

    it("says rejected when none was accepted", function()
      local _, err = judge({ data = { item(0, 3) } }, 3)
      assert.equal("rejected", err.outcome)
      assert.equal("3 entries were rejected, 0 accepted", err.message)
    end)

    it("is an error when a sendout has one, though nothing was counted as rejected", function()
      local _, err = judge({ data = { item(0, 0, "no such campaign") } }, 3)
      assert.equal("rejected", err.kind)
      assert.equal("rejected", err.outcome)
      assert.equal("a sendout failed; 0 entries were accepted", err.message)
      assert.equal("no such campaign", err.user_message)
      assert.equal("no such campaign", err.result.sendouts[1].error)
      assert.is_nil(tostring(err):find("no such campaign", 1, true))
    end)

    it("that counts nothing is no success", function()
      local odd = {
        '{}', { data = {} }, '{"data":[]}', { data = "x" }, { data = cjson.null }, { data = { {} } }, { data = { "x" } },
        { data = { item("two", 0) } }, { data = { item(-1, 0) } }, { data = { item(1.5, 0) } },
        { data = { item(3, "x") } }, { data = { item(3, {}) } }, { data = { item(1, 0), {} } }, '"text"', "null", "3",
        '{"id":"01ARZ3NDEKTSV4RRFFQ69G5FAV"}',
      }
      for index, reply in ipairs(odd) do
        local result, err = judge(reply, 3)
        assert.is_nil(result, "reply " .. index)
        assert.equal("protocol", err.kind)
        assert.equal("unknown", err.outcome)
        assert.equal("the reply does not say how many entries were accepted", err.message)
        assert.matches("look for its delivery statuses before sending it again$", err.hint)
        assert.equal(type(reply) == "string" and reply or cjson.encode(reply), err.body)
        assert.same({ 200, 1 }, { err.status, err.attempts })
      end
    end)

    it("with a wanted name twice is no success, whichever of the two would be read", function()
      for _, reply in ipairs {
        '{"data":[{"acceptedCount":3,"acceptedCount":0}]}', '{"data":[{"acceptedCount":0,"\\u0061cceptedCount":3}]}',
        '{"data":[{"acceptedCount":3,"rejectedCount":3,"rejectedCount":0}]}',
        '{"data":[{"acceptedCount":3,"error":"x","error":null}]}',
        '{"data":[{"acceptedCount":3}],"data":[{"acceptedCount":3}]}',
        '{"data":[{"acceptedCount":3}],"error":"x","error":null}',
      } do
        local result, err = judge(reply, 3)
        assert.is_nil(result, reply)
        assert.same({ "protocol", "unknown" }, { err.kind, err.outcome })
      end
    end)

    it("counts digits that are texts, and what was left out as 0", function()
      assert.equal(3, assert(judge({ data = { item("3", "0") } }, 3)).accepted)
      local _, err = judge({ data = { item(3, "2") } }, 5)
      assert.same({ "unknown", 2 }, { err.outcome, err.result.rejected })
      _, err = judge({ data = { item(nil, 3, "nope") } }, 3)
      assert.same({ "rejected", "rejected", "nope" }, { err.kind, err.outcome, err.user_message })
    end)

    it("is an error whatever stands for one", function()
      for _, problem in ipairs { true, 131026, "x", {} } do
        local result, err = judge({ data = { item(3, 0, problem) } }, 3)
        assert.is_nil(result)
        assert.same({ "rejected", "unknown" }, { err.kind, err.outcome })
        assert.same(problem, err.result.sendouts[1].error)
      end
      assert.is_nil((judge({ data = { item(3, 0) }, error = "x" }, 3)))
      for _, problem in ipairs { false, "" } do
        assert(judge({ data = { item(3, 0, problem) } }, 3))
      end
    end)

    it("that does not account for all is no success, and nothing that may be repeated", function()
      for _, counts in ipairs { { 1, 0 }, { 0, 1 }, { 99, 0 }, { 0, 0 }, { 2, 2 }, { 1e14, 0 } } do
        local result, err = judge({ data = { item(counts[1], counts[2]) } }, 3)
        assert.is_nil(result)
        assert.equal("unknown", err.outcome)
        assert.same({ 200, 1 }, { err.status, err.attempts })
      end
    end)

    it("takes null for no error", function()
      local result = judge({ data = { item(1, 0, cjson.null) } }, 1)
      assert.is_nil(result.sendouts[1].error)
    end)

    it("must account for entries that only the core can count", function()
      local hidden = entries(2)
      local list = setmetatable({}, {
        __len = function() return 2 end, __index = function(_, index) return hidden[index] end,
      })
      local result, err = judge({ data = { item(1, 0) } }, nil, { entries = list })
      assert.is_nil(result)
      assert.equal("the reply accounts for 1 of 2 entries", err.message)
    end)

    it("shows no key that it echoes", function()
      local body = cjson.encode { data = { { acceptedCount = 1, rejectedCount = 2, error = "bad " .. sandbox.api_key } } }
      local result, err = judge(body, 3)
      assert.is_nil(result)
      assert.equal(1, err.result.sendouts[1].accepted)
      assert.equal("bad " .. ("*"):rep(#sandbox.api_key), err.user_message)
      assert.equal(err.user_message, err.result.sendouts[1].reply.error)
      assert.equal(err.user_message, err.result.sendouts[1].error)
      result, err = judge(cjson.encode { data = { { acceptedCount = 3, name = sandbox.api_key } } }, 3)
      assert(result, tostring(err))
      assert.equal(("*"):rep(#sandbox.api_key), result.sendouts[1].reply.name)
      result, err = judge(cjson.encode { data = {}, note = sandbox.api_key }, 3)
      assert.is_nil(result)
      assert.is_nil(err.body:find(sandbox.api_key, 1, true))
    end)

    --- The client's counters that are not 0, and the ends that on_event was told of.
    local function account(reply, count, options)
      local ends = {}
      options = options or {}
      options.on_event = function(event)
        if event.name == "attempt" or event.name == "done" then
          ends[#ends + 1] = ("%s: %s %s %d"):format(
            event.name, event.kind or "ok", event.outcome or "-", event.status)
        end
      end
      local one = new_client(options)
      answer(reply)
      send(one, { entries = entries(count) })
      local stats, ended = one:stats(), {}
      for _, name in ipairs { "succeeded", "not_sent", "rejected", "unknown" } do
        ended[name] = stats[name] ~= 0 and stats[name] or nil
      end
      assert.same({ 1, 1, 0 }, { stats.calls, stats.attempts, stats.in_flight })
      one:close()
      return ended, ends
    end

    it("is what stats and on_event say of it", function()
      for _, case in ipairs {
        { { data = { item(2, 1) } }, "unknown", "rejected" },
        { { data = { item(0, 3) } }, "rejected", "rejected" },
        { { data = { item(0, 0, "no such campaign") } }, "rejected", "rejected" },
        { { data = { item(3, 0) }, error = "x" }, "unknown", "rejected" },
        { { data = { item(2, 0) } }, "unknown", "protocol" },
        { { data = { item(4, 0) } }, "unknown", "protocol" },
        { "{}", "unknown", "protocol" },
      } do
        local ended, ends = account(case[1], 3)
        assert.same({ [case[2]] = 1 }, ended)
        local said = ("%s %s 200"):format(case[3], case[2])
        assert.same({ "attempt: " .. said, "done: " .. said }, ends)
      end
      local ended, ends = account({ data = { item(3, 0) } }, 3)
      assert.same({ succeeded = 1 }, ended)
      assert.same({ "attempt: ok - 200", "done: ok - 200" }, ends)
    end)

    it("is not asked for again, though it is no success, also by a client that repeats what is in doubt", function()
      for _, reply in ipairs { { data = { item(2, 1) } }, { data = { item(2, 0) } }, { data = {} }, '{"data":[]}' } do
        account(reply, 3, { retry_unknown = true, max_attempts = 5 })
      end
      local _, requests = sandbox:deliveries()
      assert.equal(4, requests)
    end)
  end)
end

describe("entries in chunks", function()
  local client

  -- One attempt, so that 429 is an end: nothing was accepted.
  setup(function() client = new_client { max_attempts = 1 } end)

  teardown(function() client:close() end)

  before_each(function() sandbox:turn("campaigns", { name = "w" }) end)

  --- Sends with the replies to the first requests; the rest are answered as usual.
  local function send(list, size, replies)
    for _, reply in ipairs(replies or {}) do
      if type(reply) == "number" then
        sandbox:reply { operation = "send_campaigns", status = reply }
      else
        answer(reply)
      end
    end
    return client:send_campaigns({ entries = list }, size and { chunk_size = size })
  end

  local function requests()
    return (select(2, sandbox:deliveries()))
  end

  local function outcomes(result)
    local list = {}
    for index, chunk in ipairs(result.chunks) do
      list[index] = ("%d-%d %s"):format(chunk.first, chunk.last, chunk.outcome)
    end
    return list
  end

  --- How often each number was sent something.
  local function counts()
    local found = {}
    for _, delivery in ipairs((sandbox:deliveries())) do
      local number = delivery.recipient or delivery.number
      found[number] = (found[number] or 0) + 1
    end
    return found
  end

  local function assert_once(list)
    local found = counts()
    for _, entry in ipairs(list) do
      assert.equal(1, found[entry.number or entry.client], entry.number)
    end
  end

  it("go one request after the other, each once", function()
    local list = entries(25)
    local result = assert(send(list, 10))
    assert.equal(25, result.accepted)
    assert.same({ "1-10 accepted", "11-20 accepted", "21-25 accepted" }, outcomes(result))
    assert.equal(3, requests())
    assert_once(list)
  end)

  it("give whole numbers", function()
    local result = assert(send(entries(3), 2))
    assert.equal("3 0 2", ("%s %s %s"):format(result.accepted, result.rejected, result.sendouts[1].accepted))
  end)

  it("are all checked before the first goes", function()
    local list = entries(25)
    list[12].number = "12"
    local result, err = send(list, 10)
    assert.is_nil(result)
    assert.equal("entries[12].number", err.param)
    assert.matches("^entries%[12%].number: a number in E.164", err.message)
    assert.equal("entries[12].number", err.problems[1].param)
    assert.equal(0, requests())
  end)

  it("hold nobody twice, in whatever spelling, wherever the chunks end", function()
    local null, number = cjson.null, entries(3)[3].number
    for size = 1, 25, 8 do
      for _, twin in ipairs {
        { client = { id = number }, campaignName = "w" }, { number = null, client = number, campaign_name = "w" },
        { number = number, campaign_name = null, campaignName = "w" },
        { number = number, campaign_name = "w", campaign_version = null },
      } do
        local list = entries(25)
        list[24] = twin
        local _, err = send(list, size)
        assert.equal("argument", err.kind)
        assert.equal("entries[24]: the same number and campaign as entries[3]", err.message)
      end
    end
    assert.equal(0, requests())
  end)

  it("of one version are one, however it is written", function()
    for _, versions in ipairs { { 2, 2.0 }, { 2, "2" }, { 1000000000000000, "1000000000000000" } } do
      local list = entries(12)
      list[1].campaign_version = versions[1]
      list[12] = { number = list[1].number, campaign_name = "w", campaign_version = versions[2] }
      for _, size in ipairs { 10, 100 } do
        assert.equal("entries[12]", (select(2, send(list, size)).param))
      end
    end
    assert.equal(0, requests())
  end)

  it("of two people, campaigns or versions are two", function()
    local list = entries(4)
    list[1] = { number = cjson.null, client = "+14155550001", campaign_name = "w" }
    list[2] = { number = cjson.null, client = "+14155550002", campaign_name = "w" }
    list[3] = { number = "+14155550001", campaign_name = "w", campaign_version = 1000000000000001 }
    list[4] = { number = "+14155550001", campaign_name = "w", campaign_version = 1000000000000002 }
    for _, size in ipairs { 1, 100 } do
      assert.equal(4, assert(send(list, size)).accepted)
    end
  end)

  it("go as they were checked, whatever becomes of the tables meanwhile", function()
    local list, called = entries(6), 0
    local one = new_client {
      on_event = function(event)
        if event.name == "done" and called == 0 then
          called = 1
          list[2].number, list[3].number, list[6] = list[1].number, "+14155559999", nil
        end
      end,
    }
    local result = assert(one:send_campaigns({ entries = list }, { chunk_size = 1 }))
    one:close()
    assert.equal(6, result.accepted)
    assert_once(entries(6))
    assert.is_nil(counts()["+14155559999"])
  end)

  it("are those of a list that is only marked by its metatable", function()
    for _, metatable in ipairs { {}, { __name = "List" }, cjson.array_mt or {}, { __tostring = function() return "x" end } } do
      sandbox:reset()
      sandbox:turn("campaigns", { name = "w" })
      local message = setmetatable({ entries = entries(3) }, metatable)
      assert.equal(3, #assert(client:send_campaigns(message, { chunk_size = 1 })).chunks)
      sandbox:reset()
      sandbox:turn("campaigns", { name = "w" })
      assert.same({ "1-2 accepted", "3-3 accepted" }, outcomes(assert(send(setmetatable(entries(3), metatable), 2))))
      local list = setmetatable(entries(3), metatable)
      for _, reply in ipairs { { data = { item(0, 0) } }, { data = { item(1, 0) } }, { data = { item(0, 1) } } } do
        local result, err = send(list, nil, { reply })
        assert.is_nil(result)
        assert.equal("unknown", err.outcome)
      end
    end
  end)

  it("are lost nowhere, whatever a metatable hides or gives anew", function()
    local list = entries(4)
    local third = table.remove(list, 3)
    list[4], list[3] = list[3], nil
    local hidden = setmetatable(list, { __metatable = {}, __index = function(_, key) return key == 3 and third or nil end })
    local reads = 0
    local message = setmetatable({}, { __index = function(_, key)
      reads = reads + (key == "entries" and 1 or 0)
      return key == "entries" and (reads < 5 and entries(6) or entries(2)) or nil
    end })
    local all = entries(5)
    local short = setmetatable({ all[1], all[2] },
      { __len = function() return 5 end, __index = function(_, key) return all[key] end, __metatable = {} })
    assert.equal(5, assert(client:send_campaigns({ entries = short })).accepted)
    sandbox:reset()
    sandbox:turn("campaigns", { name = "w" })
    for _, given in ipairs { { entries = hidden }, message } do
      local result, err = client:send_campaigns(given, { chunk_size = 2 })
      assert(result or err.outcome == "not_sent", tostring(err))
      if result then
        assert.equal(result.accepted, result.chunks[#result.chunks].last)
      end
    end
  end)

  it("are closed with their client, and told of", function()
    local one
    one = new_client {
      on_event = function(event)
        if event.name == "done" then
          one:close(0)
        end
      end,
    }
    local _, err = one:send_campaigns({ entries = entries(3) }, { chunk_size = 1 })
    assert.same({ "closed", "unknown" }, { err.kind, err.outcome })
    assert.same({ "1-1 accepted", "2-2 not_sent", "3-3 not_sent" }, outcomes(err.result))
  end)

  it("are told of when an error of somebody else ends them", function()
    local reserved = 0
    local one = new_client { limiter = {
      pause = function() end,
      reserve = function(_, count, give)
        reserved = reserved + count
        if reserved > 2 then
          error "limiter broke"
        end
        for _ = 1, count do
          give(native.clock())
        end
      end,
    } }
    local is_fine, err = pcall(one.send_campaigns, one, { entries = entries(4) }, { chunk_size = 1 })
    one:close(0)
    assert.is_false(is_fine)
    assert.same({ "canceled", "unknown" }, { err.kind, err.outcome })
    assert.matches("limiter broke", err.message)
    assert.matches("limiter broke$", err.cause)
    assert.same({ "1-1 accepted", "2-2 accepted", "3-3 unknown", "4-4 not_sent" }, outcomes(err.result))
  end)

  it("are told of by what Ctrl-C raises, also where errors are returned", function()
    local started = 0
    local one = new_client {
      on_event = function(event)
        started = started + (event.name == "start" and 1 or 0)
        if started == 3 then
          error("interrupted!", 0)
        end
      end,
    }
    local is_fine, err = pcall(one.send_campaigns, one, { entries = entries(5) }, { chunk_size = 1 })
    assert.is_false(is_fine)
    assert.is_true(errors.is_error(err))
    assert.matches("interrupted!", tostring(err))
    assert.same({ "1-1 accepted", "2-2 accepted", "3-3 unknown", "4-4 not_sent", "5-5 not_sent" }, outcomes(err.result))
    assert.equal("interrupted!", err.cause)
    started = 4
    -- It is still what nobody may keep: neither a callback of another client...
    local listener = new_client { on_event = function(event)
      if event.name == "done" then
        error(err, 0)
      end
    end }
    is_fine = pcall(listener.send_campaigns, listener, { entries = entries(1) })
    assert.is_false(is_fine)
    -- ...nor a source.
    local ok, raised = pcall(function()
      for _ in one:send_many(function() error(err, 0) end, { operation = "send_campaigns" }) do
        assert(false)
      end
    end)
    assert.is_false(ok)
    assert.equal(err, raised)
    one:close(0)
    listener:close(0)
  end)

  it("tell a fault of the whole once", function()
    local _, err = client:send_campaigns({ entries = entries(5), traceparent = "x", unknown = 1 }, { chunk_size = 1 })
    assert.equal(2, #err.problems)
  end)

  it("have all their faults in one error, and no more than those", function()
    local list = entries(201)
    list[5].number, list[150].number, list[201].number = "5", "5", "x"
    for _, size in ipairs { 100, 1000 } do
      local _, err = send(list, size)
      local params = {}
      for index, one in ipairs(err.problems) do
        params[index] = one.param
      end
      assert.same({ "entries[5].number", "entries[150].number", "entries[201].number" }, params)
    end
  end)

  it("nested deeper than can be read back are refused by name", function()
    local deep = 1
    for _ = 1, 997 do
      deep = { deep }
    end
    local list = entries(2)
    list[2].variables = { x = deep }
    local _, err = send(list, 1)
    assert.same({ "argument", "not_sent", "entries[2]" }, { err.kind, err.outcome, err.param })
  end)

  it("of campaigns with odd names are no twins", function()
    local list = entries(2)
    list[1].campaign_name = "w\0b"
    list[2].number, list[2].campaign_version = list[1].number, "b"
    local _, err = send(list, 1)
    assert.equal("rejected", err.kind) -- the sandbox knows no such campaign
  end)

  it("that are computed go in one request", function()
    local hidden = entries(3)
    local list = setmetatable({}, {
      __len = function() return 3 end, __index = function(_, index) return hidden[index] end,
    })
    assert.same({ "1-3 accepted" }, outcomes(assert(send(list, 2))))
  end)

  it("that are no list are refused with a name, and told to on_event", function()
    local one, two = entries(2)[1], entries(2)[2]
    local told = {}
    local listener = new_client { on_event = function(event) told[#told + 1] = event.name .. " " .. (event.kind or "") end }
    for _, list in ipairs {
      { [1] = one, [3] = two }, { one, x = two }, { [0] = one, two }, { [1.5] = one, two }, {}, "x",
      setmetatable({}, { __len = function() return 1e15 end, __index = function() return one end }),
    } do
      local _, err = listener:send_campaigns({ entries = list }, { chunk_size = 1 })
      assert.equal("argument", err.kind)
      assert.matches("^entries", err.param)
    end
    local _, err = listener:send_campaigns(3)
    assert.equal("argument", err.kind)
    listener:close()
    assert.equal(16, #told)
    assert.same({ "start ", "done argument" }, { told[1], told[2] })
    assert.equal(0, requests())
  end)

  it("go on after a chunk of which some were rejected", function()
    local _, err = send(entries(25), 10, { { data = { item(10, 0) } }, { data = { item(8, 2) } } })
    assert.equal("unknown", err.outcome)
    assert.equal(23, err.result.accepted)
    assert.equal(2, err.result.rejected)
    assert.same({ "1-10 accepted", "11-20 unknown", "21-25 accepted" }, outcomes(err.result))
  end)

  it("stop at a chunk that failed, and say which were not sent", function()
    local _, err = send(entries(35), 10, { { data = { item(10, 0) } }, 429 })
    assert.equal("rate_limited", err.kind)
    assert.equal("unknown", err.outcome) -- the first ten did go
    assert.is_false(err.retryable)
    assert.matches("`result.chunks` says which may be sent again$", err.hint)
    assert.same({ "1-10 accepted", "11-20 not_sent", "21-30 not_sent", "31-35 not_sent" }, outcomes(err.result))
    assert.is_nil(err.result.chunks[3].error)
  end)

  it("keep the error that was theirs", function()
    local _, err = send(entries(25), 10, { { data = { item(10, 0) } }, 429 })
    local own = err.result.chunks[2].error
    assert.same({ "rate_limited", "not_sent", true }, { own.kind, own.outcome, own.retryable })
    assert.is_nil(own.result)
    assert.is_true(errors.is_error(own) and errors.is_error(err))
  end)

  it("have an error that can be written as JSON", function()
    for _, replies in ipairs { { 429 }, { { data = { item(1, 1) } } }, { 500 }, { { data = {} } } } do
      local _, err = send(entries(2), nil, replies)
      assert.equal(err.kind, cjson.decode(cjson.encode(err)).result.chunks[1].error.kind)
      assert.equal(1, #err.result.chunks)
    end
  end)

  it("that failed at once stay what they are", function()
    local _, err = send(entries(25), 10, { 429 })
    assert.same({ "not_sent", true }, { err.outcome, err.retryable })
    assert.same({ "1-10 not_sent", "11-20 not_sent", "21-25 not_sent" }, outcomes(err.result))
    _, err = send(entries(25), 10, { 401 })
    assert.same({ "auth", "rejected" }, { err.kind, err.outcome })
    assert.same({ "1-10 rejected", "11-20 not_sent", "21-25 not_sent" }, outcomes(err.result))
  end)

  it("are in doubt as a whole when one chunk is", function()
    for _, later in ipairs { 500, "{}" } do
      sandbox:reset()
      local _, err = send(entries(25), 10, { { data = { item(0, 10) } }, later })
      assert.same({ "rejected", "unknown", false }, { err.kind, err.outcome, err.retryable })
      assert.same({ "1-10 rejected", "11-20 unknown", "21-25 not_sent" }, outcomes(err.result))
    end
  end)

  it("carry the trace of the whole", function()
    local result, err = client:send_campaigns({ entries = entries(3), traceparent = TRACE }, { chunk_size = 2 })
    assert(result, tostring(err))
    result, err = client:send_campaigns({ entries = entries(3), traceparent = "x" }, { chunk_size = 2 })
    assert.is_nil(result)
    assert.equal("traceparent", err.param)
  end)

  it("take no other option", function()
    assert.has_error(function() client:send_campaigns({ entries = entries(1) }, { chunk_sise = 1 }) end)
    assert.has_error(function() client:send_campaigns({ entries = entries(1) }, "x") end)
  end)

  it("have a size that makes sense", function()
    for _, size in ipairs { 0, -1, 1.5, 1001, "10" } do
      assert.has_error(function()
        client:send_campaigns({ entries = entries(1) }, { chunk_size = size })
      end, "connectly: send_campaigns: chunk_size: whole number from 1 to 1000 expected")
    end
  end)
end)
