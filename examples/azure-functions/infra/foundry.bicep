// Creates the Foundry resource, its model and its role assignments.

param location string
param tags object
param suffix string
param modelName string
param modelVersion string
param modelCapacity int
param appPrincipalId string
param developerId string

// By GUID, because Azure has renamed these roles before.
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
    // Required for Entra tokens.
    customSubDomainName: 'aif-${suffix}'
    // Disables API keys.
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

// The app only sends requests to the model.
resource appMayUse 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, appPrincipalId, cognitiveServicesOpenAIUser)
  scope: account
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', cognitiveServicesOpenAIUser)
  }
}

// The same role for the developer, after `az login`, and access to the resource's projects.
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
