/** Returns the compiled module that workerd has imported. */
export function moduleSource<Module>(module: Module): Module {
  return module;
}
