return await DataHub.Hosting.Commands.RunAsync(args);
