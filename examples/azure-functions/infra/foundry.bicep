// The Foundry resource with its model, and who may use it.

param location string
param tags object
param suffix string
param modelName string
param modelVersion string
param modelCapacity int
param appPrincipalId string
param developerId string

// By GUID: the names of these roles have changed, and may again.
var cognitiveServicesOpenAIUser = '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'
var foundryUser = '53ca6127-db72-4b80-b1b0-d745d6d5456d'

resource account 'Microsoft.CognitiveServices/accounts@2025-06-01' = {
  name: 'aif-${suffix}'
  location: location
  tags: tags
  kind: 'AIServices'
  sku: { name: 'S0' }
  identity: { type: 'SystemAssigned' }
  properties: {
    // Without it the resource takes no Entra token.
    customSubDomainName: 'aif-${suffix}'
    // No API keys at all.
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
    allowProjectManagement: true
  }
}

resource model 'Microsoft.CognitiveServices/accounts/deployments@2025-06-01' = {
  parent: account
  name: modelName
  sku: {
    name: 'GlobalStandard'
    capacity: modelCapacity
  }
  properties: {
    model: union({ format: 'OpenAI', name: modelName }, empty(modelVersion) ? {} : { version: modelVersion })
    versionUpgradeOption: 'OnceNewDefaultVersionAvailable'
  }
}

// The app only asks the model.
resource appMayUse 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, appPrincipalId, cognitiveServicesOpenAIUser)
  scope: account
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', cognitiveServicesOpenAIUser)
  }
}

// The developer may do the same from their own machine, after `az login`, and use the resource's projects.
resource developerMayUse 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in [cognitiveServicesOpenAIUser, foundryUser]: if (!empty(developerId)) {
    name: guid(account.id, developerId, role)
    scope: account
    properties: {
      principalId: developerId
      principalType: 'User'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

output url string = 'https://${account.properties.customSubDomainName}.openai.azure.com'
