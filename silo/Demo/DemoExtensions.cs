namespace DataHub.Demo;

internal static class DemoExtensions
{
    /// <summary>The demo city's agencies; they do nothing unless <see cref="DemoOptions.Enabled"/>.</summary>
    public static IServiceCollection AddDemo(this IServiceCollection services, IConfiguration configuration)
    {
        if (configuration.GetSection(DemoOptions.Section).GetValue<bool>(nameof(DemoOptions.Enabled)))
        {
            foreach (var person in DemoPeople.ForSignIn) services.AddSingleton(person);
        }

        return services.AddHostedService<DemoAgencies>();
    }
}
