using DataHub.Hosting;

using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace DataHub.Tests;

/// <summary>What the programs write to their log unless somebody wants more or less.</summary>
public sealed class LoggingTests
{
    [Theory]
    [InlineData("Orleans.Runtime.Membership", LogLevel.Warning)]
    [InlineData("Orleans.Runtime.Silo", LogLevel.Error)]
    [InlineData("DataHub.Feeds.LogShard", LogLevel.Information)]
    [InlineData("Microsoft.AspNetCore.Hosting", LogLevel.Warning)]
    [InlineData("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None)]
    public void Every_category_has_its_least_level(string category, LogLevel least) => Assert.Equal(least, Least(category));

    [Theory]
    [InlineData("Orleans", "Orleans.Runtime.Membership", LogLevel.Information)]
    [InlineData("Orleans.Runtime.Silo", "Orleans.Runtime.Silo", LogLevel.Debug)]
    [InlineData("DataHub", "DataHub.Feeds.LogShard", LogLevel.Error)]
    public void The_operators_level_goes_before_it(string setting, string category, LogLevel least) =>
        Assert.Equal(least, Least(category, ($"Logging:LogLevel:{setting}", least.ToString())));

    private static LogLevel Least(string category, params (string Name, string Value)[] settings)
    {
        var builder = WebApplication.CreateSlimBuilder();
        // Not those of whoever runs the tests.
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value)));
        builder.Logging.AddHubLogging();
        using var services = builder.Services.BuildServiceProvider();
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger(category);
        return Enum.GetValues<LogLevel>().FirstOrDefault(logger.IsEnabled, LogLevel.None);
    }
}
