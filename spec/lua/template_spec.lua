-- A message is compared with its template, on a saved list and on one that is
-- fetched over real HTTP.

local cjson = require "cjson"
local connectly = require "connectly"
local faults = require "spec.support.faults"
local header_kinds = require("connectly.template.fields").header_kinds
local fixtures = require "spec.support.fixtures"
local safe = require "connectly.safe"
local template = require "connectly.template"
local unpack = table.unpack or unpack -- luacheck: ignore 113 143

local function compare(case, report)
  assert.same(case.problems, report.problems)
  assert.same(case.warnings, report.warnings)
  assert.equal(case.ok, report.ok)
  for _, field in ipairs { "template", "preview" } do
    if case[field] then
      assert.same(case[field], report[field])
    end
  end
end

describe("a check of a template message", function()
  local client = connectly.new { api_key = "spec-key", business_id = "spec-business", base_url = "https://localhost:1" }

  for _, fixture in ipairs(fixtures.read("templates")) do
    for _, case in ipairs(fixture.cases) do
      it(("%s: %s (%s)"):format(fixture.description, case.description, fixture.file), function()
        compare(case, template.check(case.message, fixture.list))
        compare(case, (client:check_template(case.message, { templates = fixture.list })))
      end)
    end
  end
end)

describe("a check of a message in its two forms", function()
  local components = cjson.decode [=[ [
    { "header": { "media": { "type": "TYPE_DOCUMENT" } } }, { "body": { "text": { "text": "{{1}} {{2}}" } } },
    { "button": { "url": { "text": "Go", "url": "https://x.example/{{1}}" } } },
    { "carousel": { "cards": [ { "components": [ { "body": { "text": { "text": "{{1}}" } } } ] } ] } }
  ] ]=]

  local function list_for(message)
    return { {
      name = message.template_name,
      templates = { { language = message.language, status = "APPROVED", templateComponents = components } },
    } }
  end

  local function messages_of(notes)
    local list = {}
    for index, note in ipairs(notes) do
      list[index] = note.message
    end
    return list
  end

  for _, fixture in ipairs(fixtures.read("messages")) do
    if fixture.operation == "send_template" then
      it("sees the same: " .. fixture.description .. " (" .. fixture.file .. ")", function()
        local list = list_for(fixture.friendly)
        local friendly, wire = template.check(fixture.friendly, list), template.check(fixture.wire, list)
        assert.truthy(friendly.preview)
        assert.same(friendly.preview, wire.preview)
        assert.same(messages_of(friendly.problems), messages_of(wire.problems))
        assert.same(messages_of(friendly.warnings), messages_of(wire.warnings))
      end)
    end
  end
end)

local order = { number = "+14155550123", template_name = "template_1", language = "en", body = { "Ana", "A-1" } }

local function changed(changes)
  local message = {}
  for _, fields in ipairs { order, changes } do
    for name, value in pairs(fields) do
      message[name] = value
    end
  end
  return message
end

describe("a client's check of a template message", function()
  local server = faults.serve()

  --- One that finds so many templates, by the behaviour's name.
  local function new(face, behaviour)
    return face.new {
      api_key = "spec-key", business_id = behaviour or "templates-2", base_url = server:url("https"),
      ca_file = server.ca_file, max_attempts = 1, timeout = 10,
    }
  end

  local function requests()
    return server:tally().requests
  end

  it("fetches the templates once, and sends nothing", function()
    local client = new(connectly)
    local report = client:check_template(order)
    assert.same({}, report.problems)
    assert.same({}, report.warnings)
    assert.is_true(report.ok)
    assert.equal("Hi Ana, order A-1 left our store.", report.preview.body)
    assert.equal("template_2", client:check_template(changed { template_name = "template_2" }).template.name)
    assert.is_false(client:check_template(changed { template_name = "template_3" }).ok)
    local counts = server:counts()
    assert.equal(1, counts.requests)
    assert.same({ "" }, counts.bodies)
  end)

  it("fetches them anew when it is told to, or when they are too old", function()
    local client = new(connectly)
    client:check_template(order)
    client:check_template(order, { refresh = true })
    assert.equal(2, requests())
    client:check_template(order, { max_age = 0 })
    assert.equal(3, requests())
    client:check_template(order, { max_age = 3600, refresh = false })
    assert.equal(3, requests())
  end)

  it("gives way to a loop while it fetches them", function()
    local cqueues = require "cqueues"
    local loop = cqueues.new()
    local client = connectly.loop.cqueues.attach(new(safe))
    local events = {}
    loop:wrap(function()
      events[#events + 1] = client:check_template(order).ok and "checked" or "refused"
    end)
    loop:wrap(function() events[#events + 1] = "meanwhile" end)
    assert(loop:loop(10))
    assert.same({ "meanwhile", "checked" }, events)
    client:close()
  end)

  it("fetches them for each client", function()
    new(connectly):check_template(order)
    new(connectly):check_template(order)
    assert.equal(2, requests())
  end)

  it("fetches nothing for a saved list, nor for what a send would refuse", function()
    local client = new(connectly)
    local list = client:request { method = "POST", path = "/get/templates" }
    assert.is_true(client:check_template(order, { templates = list }).ok)
    assert.is_true(client:check_template(order, { templates = list.entity.templateGroups }).ok)
    assert.same({ { param = "body[1]", message = "string or number expected, got boolean" } },
      client:check_template(changed { body = { true } }).problems)
    assert.equal(1, requests())
  end)

  it("raises what went wrong, or returns it, and asks again next time", function()
    local raising, returning = new(connectly), new(safe)
    server:arm("401", 2)
    local is_fine, raised = pcall(raising.check_template, raising, order)
    assert.is_false(is_fine)
    assert.is_true(connectly.is_error(raised))
    assert.equal("auth", raised.kind)
    local report, err = returning:check_template(order)
    assert.is_nil(report)
    assert.equal("auth", err.kind)
    assert.is_true(raising:check_template(order).ok)
    assert.is_true(returning:check_template(order).ok)
  end)

  it("says that a reply is no list, or none it can use, and asks again next time", function()
    local client = new(connectly)
    for _, behaviour in ipairs { "ok", "json-array", "json-string", "204", "templates-0" } do
      server:arm(behaviour)
      local report = client:check_template(order)
      assert.is_false(report.ok)
      assert.equal(1, #report.problems)
    end
    assert.is_true(client:check_template(order).ok)
  end)

  it("needs no connection where it has a list, closed or not", function()
    local client = new(safe)
    assert.is_true(client:check_template(order).ok)
    client:close()
    assert.is_true(client:check_template(order).ok)
    local report, err = client:check_template(order, { refresh = true })
    assert.is_nil(report)
    assert.equal("closed", err.kind)
  end)

  it("gives up at a list beyond the ceiling of a reply", function()
    local report, err = new(safe, "templates-20000"):check_template(order)
    assert.is_nil(report)
    assert.equal("protocol", err.kind)
  end)

  it("finds the last of many", function()
    local report = new(connectly, "templates-3000"):check_template(changed { template_name = "template_3000" })
    assert.is_true(report.ok)
    local far = new(connectly, "templates-3000"):check_template(changed { template_name = "tenplate_2999" })
    assert.truthy(far.problems[1].message:find("`template_2999`", 1, true))
  end)
end)

describe("a check of a template message used wrongly", function()
  local message_of = {
    { { templates = "x" }, "templates: table expected, got string" },
    { { max_age = "5" }, "max_age: number expected, got string" },
    { { max_age = -1 }, "max_age: seconds from 0 expected" },
    { { max_age = 0 / 0 }, "max_age: seconds from 0 expected" },
    { { refresh = 1 }, "refresh: boolean expected, got number" },
    { { ttl = 1 }, "ttl: no such option; there are templates, max_age and refresh" },
    { 5, "options: table expected, got number" },
  }

  for _, face in ipairs { connectly, safe } do
    local client = face.new { api_key = "spec-key", business_id = "spec-business", base_url = "https://localhost:1" }
    for _, case in ipairs(message_of) do
      it("raises in both faces, and says where: " .. case[2], function()
        local is_fine, problem = pcall(function()
          local report = client:check_template(order, case[1])
          return report
        end)
        assert.is_false(is_fine)
        assert.truthy(problem:find("^spec/lua/template_spec.lua:%d+: connectly: check_template: "), problem)
        assert.truthy(problem:find(case[2], 1, true), problem)
      end)
    end
  end

  it("raises without a list", function()
    for _, list in ipairs { "x", 5, false } do
      assert.has_error(function() template.check(order, list) end,
        "connectly: template.check: a list of templates expected, got " .. type(list))
    end
  end)

  it("is a problem where a message belongs", function()
    for _, message in ipairs { "x", 5, false } do
      local report = template.check(message or nil, {})
      assert.is_false(report.ok)
      assert.truthy(report.problems[1].message:find("table of fields expected", 1, true))
    end
  end)

  it("raises what a metamethod of the message raises, as a send does", function()
    local message = setmetatable({}, { __index = function() error("mine", 0) end })
    assert.has_error(function() template.check(message, {}) end, "mine")
  end)
end)

describe("a kept list of templates", function()
  local source = require "connectly.template.source"

  it("is good for 300 seconds from the question, unless told otherwise", function()
    local now, fetched = 1000, 0
    local get = source.new(function()
      fetched = fetched + 1
      now = now + 10 -- the answer takes its time
      return { { name = "t" .. fetched } }
    end, function() return now end)
    local function name_at(time, options)
      now = time
      return get(options or {})[1].name
    end
    assert.equal("t1", name_at(1000))
    assert.equal("t1", name_at(1299))
    assert.equal("t2", name_at(1300))
    assert.equal("t2", name_at(1359, { max_age = 60 }))
    assert.equal("t3", name_at(1360, { max_age = 60 }))
    assert.equal("t4", name_at(1361, { refresh = true }))
    assert.equal("t4", name_at(9999, { max_age = math.huge }))
  end)

  it("gives way to none that was asked for before", function()
    local now, name = 0, "older"
    local get
    get = source.new(function()
      if name == "older" then
        now, name = 5, "newer"
        get {} -- another coroutine asks meanwhile
        return { { name = "older" } }
      end
      return { { name = name } }
    end, function() return now end)
    assert.equal("older", get({})[1].name)
    assert.equal("newer", get({})[1].name)
  end)

  it("is kept when a newer one cannot be had", function()
    local answers = { { { name = "first" } }, false, { { name = "third" } } }
    local get = source.new(function()
      local answer = table.remove(answers, 1)
      return answer or nil, answer and {} or "a problem"
    end, function() return 0 end)
    assert.equal("first", get({})[1].name)
    local list, problem = get { refresh = true }
    assert.is_nil(list)
    assert.equal("a problem", problem)
    assert.equal("first", get({})[1].name)
    assert.equal("third", get({ refresh = true })[1].name)
  end)
end)

describe("any message against any list", function()
  -- The same on every Lua, and again when it fails.
  local state

  local function draw(count)
    state = (state * 1103515245 + 12345) % 2147483648
    return math.floor(state / 65536) % count + 1
  end

  local function one_of(...)
    return (select(draw(select("#", ...)), ...))
  end

  local function junk()
    return one_of(cjson.null, 5, -0.5, true, false, "", "x", "{{1}}", "{{x}}", "}}{{", "https://x.example/{{1}}", {}, { {} },
      { text = {} })
  end

  --- A copy, with something else in one of so many places.
  local function damage(value, rarity)
    if draw(rarity) == 1 then
      return junk()
    elseif type(value) ~= "table" then
      return value
    end
    local copy = {}
    for key, inner in pairs(value) do
      copy[key] = damage(inner, rarity)
    end
    return copy
  end

  local function text()
    return one_of("canary", "canary {{1}} %1", 12345, "canary\n", "", false)
  end

  local function texts()
    local list = {}
    for index = 1, draw(4) - 1 do
      list[index] = text()
    end
    return list
  end

  local function header()
    return { [one_of(unpack(header_kinds))] = one_of("https://x.example/canary", "canary") }
  end

  local function parameters()
    local map = {}
    for _ = 1, draw(4) do
      local name = one_of("body_1", "body_2", "body_999", "header_text", "header_image", "button_1_url", "button_2_url_suffix",
        "card.0.body.0", "card.01.body.0", "card.1.header.image", "card.2.button.1.urlSuffix", "body_0", "var1")
      map[name] = { value = one_of("canary", "https://x.example/canary"), raw = one_of(true, false) }
    end
    return map
  end

  local function message(name, language)
    local cards = {}
    for index = 1, draw(3) - 1 do
      cards[index] = { header = one_of(nil, { image = "https://x.example/canary" }), body = texts(), buttons = texts() }
    end
    return {
      number = "+14155550123", template_name = name, language = language, header = one_of(nil, header()),
      body = one_of(nil, texts()), buttons = one_of(nil, texts()), cards = one_of(nil, cards),
      parameters = one_of(nil, parameters()),
    }
  end

  local function sentences(report)
    local list = {}
    for _, notes in ipairs { report.problems, report.warnings } do
      for _, note in ipairs(notes) do
        assert.equal("string", type(note.param))
        list[#list + 1] = note.param .. ": " .. note.message
      end
    end
    return table.concat(list, "\n")
  end

  local lists = fixtures.read("templates")

  for seed = 1, 40 do
    it("gives a report that shows none of its texts but in the preview, seed " .. seed, function()
      state = seed
      for _ = 1, 100 do
        local fixture = lists[draw(#lists)]
        local case = fixture.cases[draw(#fixture.cases)].message
        local list = damage(fixture.list, one_of(5, 20, 100))
        list = type(list) == "table" and list or { list }
        local made = message(case.template_name or case.templateName, case.language)
        local report = template.check(one_of(made, damage(made, 20)), list)
        assert.equal(#report.problems == 0, report.ok)
        local said = sentences(report)
        assert.is_nil(said:find("canary", 1, true), said)
        assert.is_nil(said:find("%c", 1) and said:find("[^%C\n]"), said)
        assert.equal(report.template ~= nil, report.preview ~= nil)
      end
    end)
  end
end)
