using DataHub.Governance;
using DataHub.Hosting;

using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DataHub.Catalog;

/// <summary>Sign-in by OpenID Connect: what it needs.</summary>
internal static partial class SignInExtensions
{
    /// <summary>What checks tokens. The host says with <see cref="UseSignIn"/> whose.</summary>
    public static IServiceCollection AddSignIn(this IServiceCollection services)
    {
        services.TryAddSingleton(SignIn.Off);
        services.AddSingleton<IssuerKeys>();
        services.AddHostedService(provider => provider.GetRequiredService<IssuerKeys>());
        services.AddSingleton<TokenRing>();
        services.TryAddSingleton<SignInFailures>();
        services.TryAddSingleton<AuditedSignInFailures>();
        services.AddHostedService(services => services.GetRequiredService<AuditedSignInFailures>());
        services.TryAddSingleton<ISignInFailures>(services => services.GetRequiredService<AuditedSignInFailures>());
        return services;
    }

    /// <summary>Turns sign-in on as the settings say.</summary>
    /// <param name="dataFolder">Of an embedded hub, which has a place of its own for the keys of cookies; null for a front-end.</param>
    /// <param name="urls">Where it listens.</param>
    /// <exception cref="StartException">They do not allow it.</exception>
    public static IServiceCollection UseSignIn(this IServiceCollection services, IConfiguration configuration, string? dataFolder, string urls)
    {
        var signIn = SignIn.Open(configuration, embedded: dataFolder is not null, urls);
        services.AddSingleton(signIn);
        if (signIn.IsLocal)
        {
            services.AddSignInPages(signIn, Path.Combine(dataFolder!, "signin-keys"));
            services.AddSingleton<LocalSignIn>();
            services.AddHostedService<LocalNotice>();
            return services;
        }

        if (!signIn.IsOn) return services;
        var settings = signIn.Settings;
        var folder = settings.KeysFolder.Length > 0 ? settings.KeysFolder : dataFolder is null ? "" : Path.Combine(dataFolder, "signin-keys");
        if (settings.ClientId.Length > 0 && folder.Length > 0) services.AddSignInPages(signIn, folder);
        services.AddHostedService(provider => new SignInNotice(signIn, settings.ClientId.Length == 0 ? nameof(settings.ClientId) : folder.Length == 0 ? nameof(settings.KeysFolder) : null, provider.GetRequiredService<ILogger<SignInNotice>>()));
        return services;
    }

    /// <summary>Says at the start that whoever sits at this machine may sign in.</summary>
    private sealed partial class LocalNotice(ILogger<LocalNotice> logger) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            LogLocal();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        [LoggerMessage(1260, LogLevel.Warning, "Local sign-in is on (DataHub:SignIn:Local), for trying out on this machine only; they are local:…")]
        private partial void LogLocal();
    }

    /// <summary>Says at the start what of sign-in is on, so that nobody looks for it in vain.</summary>
    /// <param name="missing">The setting without which there is no sign-in on pages; null where there is.</param>
    private sealed partial class SignInNotice(SignIn signIn, string? missing, ILogger<SignInNotice> logger) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            if (missing is null) LogOn(signIn.Settings.Authority, signIn.Settings.Name);
            else if (missing == nameof(SignInSettings.ClientId)) LogTokensOnly(signIn.Settings.Authority, signIn.Settings.Name);
            else LogNoKeysFolder(signIn.Settings.Authority, signIn.Settings.Name);
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        [LoggerMessage(1233, LogLevel.Information, "Tokens of {Authority} count, and people sign in there on the pages; they are {Issuer}:…")]
        private partial void LogOn(string authority, string issuer);

        [LoggerMessage(1234, LogLevel.Information, "Tokens of {Authority} count, of people and machines {Issuer}:…; sign-in on pages is off without DataHub:SignIn:ClientId")]
        private partial void LogTokensOnly(string authority, string issuer);

        [LoggerMessage(1235, LogLevel.Warning, "Tokens of {Authority} count, of people and machines {Issuer}:…; sign-in on pages is off: DataHub:SignIn:KeysFolder must name a folder that all front-ends share")]
        private partial void LogNoKeysFolder(string authority, string issuer);
    }
}
