// Creates a resource group with everything that the chat app needs. It contains no keys.
targetScope = 'subscription'

@description('Names the resource group, and all that is in it.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('A region that has both Flex Consumption and the model.')
param location string

@description('The object id of the developer, who may then use the model too. Empty: nobody.')
param developerId string = ''

@description('The model, and the name of its deployment.')
param modelName string = 'gpt-5.5'

@description('The version of the model. Empty: the default one.')
param modelVersion string = ''

@description('Thousands of tokens a minute.')
@minValue(1)
param modelCapacity int = 50

var tags = { 'azd-env-name': environmentName }
var suffix = toLower(uniqueString(subscription().id, environmentName, location))

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module foundry 'foundry.bicep' = {
  name: 'foundry'
  scope: group
  params: {
    location: location
    tags: tags
    suffix: suffix
    modelName: modelName
    modelVersion: modelVersion
    modelCapacity: modelCapacity
    appPrincipalId: app.outputs.identityPrincipalId
    developerId: developerId
  }
}

module app 'app.bicep' = {
  name: 'app'
  scope: group
  params: {
    location: location
    tags: tags
    suffix: suffix
    foundryUrl: 'https://aif-${suffix}.openai.azure.com'
    modelName: modelName
  }
}

output AZURE_LOCATION string = location
output FOUNDRY_RESOURCE_URL string = foundry.outputs.url
output FOUNDRY_MODEL_NAME string = modelName
output CHAT_URL string = 'https://${app.outputs.hostName}/api/chat'
