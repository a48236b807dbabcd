return await DataHub.Hosting.FrontEndCommands.RunAsync(args);
