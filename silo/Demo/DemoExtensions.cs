namespace DataHub.Demo;

internal static class DemoExtensions
{
    /// <summary>The demo city's agencies; they do nothing unless <see cref="DemoOptions.Enabled"/>.</summary>
    public static IServiceCollection AddDemo(this IServiceCollection services) => services.AddHostedService<DemoAgencies>();
}
