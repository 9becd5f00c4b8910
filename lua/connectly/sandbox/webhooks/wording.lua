--- The text of a message as the customer sees it, for echoes.

local function substituted(text, parameters)
  local values = {}
  for _, each in ipairs(parameters or {}) do
    values[each.name] = each.value
  end
  return (text:gsub("{{(%d+)}}", function(position)
    return values["body_" .. position]
  end))
end

local wording = {}

--- Returns the `message` of an echo: a session message unchanged, or a template's text with
--- its parameters. For campaigns the text is the campaign's name.
---@param store connectly.sandbox.store
---@param delivery table
---@param body table
---@return table
function wording.of(store, delivery, body)
  if delivery.endpoint == "send_session" then
    return body.message
  elseif delivery.endpoint == "send_campaigns" then
    return { text = delivery.campaign_name }
  end
  local template = store.catalogue:find(body.templateName, body.language)
  local text = template and template.text or body.templateName
  return { text = substituted(text, body.parameters) }
end

return wording
