// Creates a resource group with a Foundry project, its model, and a registry for the agent's image.
// It contains no keys.
targetScope = 'subscription'

@description('Names the resource group, and all that is in it.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('A region that has hosted agents and the model.')
param location string

@description('The object id of the developer, who may deploy and call the agent. Empty: nobody.')
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

module project 'project.bicep' = {
  name: 'project'
  scope: group
  params: {
    location: location
    tags: tags
    suffix: suffix
    modelName: modelName
    modelVersion: modelVersion
    modelCapacity: modelCapacity
    developerId: developerId
  }
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_AI_PROJECT_ID string = project.outputs.id
output AZURE_AI_PROJECT_ENDPOINT string = project.outputs.endpoint
output AZURE_AI_MODEL_DEPLOYMENT_NAME string = modelName
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = project.outputs.registryServer
