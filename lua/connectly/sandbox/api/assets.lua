--- Assets: copies of public files on a fictitious CDN. The sandbox fetches nothing. It
--- treats addresses whose host ends in .invalid as unreachable. API: assets.

local answer = require "connectly.sandbox.http.answer"
local endpoint = require "connectly.sandbox.api.endpoint"
local json = require "connectly.sandbox.http.json"
local shape = require "connectly.sandbox.check.shape"

local text, object = shape.text, shape.object

local most_assets = 100000
local prefix = "ASSET_ACCESS_CONTROL_TYPE_"

local create_shape = object({
  { "uri", text(), "required" },
  { "id", text(200, 1) },
  { "metadata", object({
    { "accessControlType", shape.one_of({ prefix .. "PUBLIC", prefix .. "PRIVATE", prefix .. "CDN_PRIVATE" }) },
  }) },
})

local function complaint_about(uri)
  if not shape.is_url(uri) then
    return "uri: a public http or https address expected"
  end
  local host = uri:match("^%a+://([^/?#]+)"):gsub("^.*@", ""):gsub(":%d*$", "")
  return host:find("%.invalid$") and "uri: cannot be reached" or nil
end

local function cdn_address(sandbox, id)
  local function escape(segment)
    return (segment:gsub("[^%w._-]", function(character)
      return ("%%%02X"):format(character:byte())
    end))
  end
  return ("https://cdn.connectly.ai/%s/%s"):format(escape(sandbox.business_id), escape(id))
end

local function add(sandbox, body)
  local store = sandbox.store
  local id = body.id or store:new_id():lower()
  store.asset_count = store.asset_count + (store.assets[id] and 0 or 1)
  store.assets[id] = {
    id = id,
    ownerId = sandbox.business_id,
    uri = cdn_address(sandbox, id),
    source = { uri = body.uri },
    metadata = {
      accessControlType = body.metadata and body.metadata.accessControlType or prefix .. "PUBLIC",
    },
  }
  return store.assets[id]
end

local assets = {}

assets.create = endpoint.new({
  operation = "create_asset",
  shape = create_shape,
  limit = "assets",
  perform = function(sandbox, _, body)
    local complaint = complaint_about(body.uri)
    if complaint then
      return answer.refuse(400, complaint)
    elseif sandbox.store.asset_count >= most_assets then
      return answer.refuse(400, "the sandbox holds no more assets")
    end
    return answer.json({ asset = add(sandbox, body) })
  end,
})

assets.get = endpoint.new({
  operation = "get_asset",
  limit = "assets",
  perform = function(sandbox, _, _, id)
    local asset = sandbox.store.assets[id]
    if not asset then
      return answer.refuse(404, "no such asset")
    end
    return answer.new(200, json.encode({ cdnUri = asset.uri }))
  end,
})

return assets
